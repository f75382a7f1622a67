#include "server/metrics/job_methods.h"

#include "google/protobuf/descriptor.h"
#include "server/store/records.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

std::vector<std::string> JobMethods() {
  std::vector<std::string> methods = {"mixed", "kv", "evaluate", kSweepMethod};
  for (const google::protobuf::Descriptor* family : {v1::QuantizeStage::descriptor(), v1::PruneStage::descriptor()}) {
    const google::protobuf::OneofDescriptor& kinds = *family->FindOneofByName("method");
    for (int i = 0; i < kinds.field_count(); ++i) methods.push_back(kinds.field(i)->name());
  }
  return methods;
}

}  // namespace tersor
