#include "server/rpc/idle_watch.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tersor/v1/model_service.grpc.pb.h"

namespace tersor {
namespace {

// Counts the messages of an upload.
class CountingService final : public v1::ModelService::Service {
 public:
  explicit CountingService(IdleWatch& idle) : idle_(idle) {}
  grpc::Status UploadFile(grpc::ServerContext* context, grpc::ServerReader<v1::UploadFileRequest>* reader,
                          v1::UploadFileResponse* response) override {
    v1::UploadFileRequest message;
    const auto read = [&] {
      const IdleWatch::Wait wait(idle_, *context);
      return reader->Read(&message);
    };
    while (read()) response->set_offset(response->offset() + 1);
    return grpc::Status::OK;
  }

 private:
  IdleWatch& idle_;
};

class IdleWatchTest : public ::testing::Test {
 protected:
  // Streams `messages` messages, then says that there are no more, or nothing at all.
  grpc::Status Upload(absl::Duration limit, int messages, bool ends, v1::UploadFileResponse* response) {
    IdleWatch idle(limit, clock_);
    CountingService service(idle);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    const auto stub = v1::ModelService::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    const auto writer = stub->UploadFile(&context, response);
    for (int i = 0; i < messages; ++i) writer->Write(v1::UploadFileRequest());
    if (ends) writer->WritesDone();
    return writer->Finish();
  }

  SystemClock clock_;
};

TEST_F(IdleWatchTest, AStreamThatSaysNothingIsEnded) {
  v1::UploadFileResponse response;
  EXPECT_EQ(Upload(absl::Milliseconds(50), 2, false, &response).error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(IdleWatchTest, AStreamThatEndsInTimeIsLeftAlone) {
  v1::UploadFileResponse response;
  ASSERT_TRUE(Upload(absl::Minutes(1), 3, true, &response).ok());
  EXPECT_EQ(response.offset(), 3);
}

}  // namespace
}  // namespace tersor
