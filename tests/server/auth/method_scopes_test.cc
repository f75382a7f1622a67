#include "server/auth/method_scopes.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tersor/v1/artifact_service.pb.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/model_service.pb.h"
#include "tersor/v1/report_service.pb.h"

namespace tersor {
namespace {

using google::protobuf::FileDescriptor;

// Whoever adds an RPC decides what it asks of its caller: a method that only looks would be the administrator's.
TEST(MethodScopesTest, WhatOnlyLooksNeedsRead) {
  for (const FileDescriptor* file :
       {v1::SubmitJobRequest::descriptor()->file(), v1::GetModelRequest::descriptor()->file(),
        v1::ListArtifactsRequest::descriptor()->file(), v1::GetReportRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const std::string name = file->service(0)->method(i)->name();
      const v1::TokenScope scope = ScopeOfRpc(absl::StrCat("/", file->service(0)->full_name(), "/", name));
      const bool deletes = name.find("Delete") == 0 || name == "CollectGarbage";
      EXPECT_EQ(scope == v1::TOKEN_SCOPE_ADMIN, deletes) << name;
      EXPECT_NE(scope, v1::TOKEN_SCOPE_UNSPECIFIED) << name;
      const bool looks = name.find("Get") == 0 || name.find("List") == 0;
      EXPECT_TRUE(!looks || scope == v1::TOKEN_SCOPE_READ) << name;
    }
  }
}

TEST(MethodScopesTest, ChangesNeedMore) {
  EXPECT_EQ(ScopeOfRpc("/tersor.v1.JobService/SubmitJob"), v1::TOKEN_SCOPE_SUBMIT);
  EXPECT_EQ(ScopeOfRpc("/tersor.v1.ModelService/UploadFile"), v1::TOKEN_SCOPE_SUBMIT);
  EXPECT_EQ(ScopeOfRpc("/tersor.v1.JobService/DeleteJob"), v1::TOKEN_SCOPE_ADMIN);
  EXPECT_EQ(ScopeOfRpc("/tersor.v1.TokenService/CreateToken"), v1::TOKEN_SCOPE_ADMIN);
  EXPECT_EQ(ScopeOfRpc("/tersor.v1.TokenService/ListTokens"), v1::TOKEN_SCOPE_ADMIN);
}

TEST(MethodScopesTest, OnlyHealthIsOpen) {
  EXPECT_EQ(ScopeOfRpc("/grpc.health.v1.Health/Check"), v1::TOKEN_SCOPE_UNSPECIFIED);
  EXPECT_EQ(ScopeOfRpc("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"), v1::TOKEN_SCOPE_READ);
  for (const char* unknown : {"", "/", "/tersor.v1.JobService/Guess", "/tersor.v1.JobService/GetJob/",
                              "/grpc.health.v1.HealthX/Check", "tersor.v1.JobService/GetJob"}) {
    EXPECT_EQ(ScopeOfRpc(unknown), v1::TOKEN_SCOPE_ADMIN) << unknown;
  }
}

}  // namespace
}  // namespace tersor
