// Keeps all events.
#ifndef TERSOR_TESTS_CORE_COMPRESS_COLLECTING_SINK_H_
#define TERSOR_TESTS_CORE_COMPRESS_COLLECTING_SINK_H_

#include <functional>
#include <vector>

#include "core/base/event_sink.h"

namespace tersor::testing {

class CollectingSink final : public EventSink {
 public:
  void Emit(const v1::Event& event) override {
    events.push_back(event);
    if (on_event) on_event(event);
  }
  int Count(v1::Event::KindCase kind) const {
    int count = 0;
    for (const v1::Event& event : events) count += event.kind_case() == kind;
    return count;
  }

  std::vector<v1::Event> events;
  std::function<void(const v1::Event&)> on_event;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPRESS_COLLECTING_SINK_H_
