// Debian's libtg_owt.a is built for executables: two of its members keep their thread-locals in the local-exec
// model, which a shared object cannot use. Defining their few public functions here, compiled as position
// independent code, keeps the linker from ever pulling those members.

#include "api/task_queue/task_queue_base.h"
#include "rtc_base/synchronization/yield_policy.h"

namespace {

thread_local webrtc::TaskQueueBase* current_task_queue = nullptr;
thread_local rtc::YieldInterface* current_yield_policy = nullptr;

}  // namespace

namespace webrtc {

TaskQueueBase* TaskQueueBase::Current() { return current_task_queue; }

TaskQueueBase::CurrentTaskQueueSetter::CurrentTaskQueueSetter(TaskQueueBase* task_queue)
    : previous_(current_task_queue) {
  current_task_queue = task_queue;
}

TaskQueueBase::CurrentTaskQueueSetter::~CurrentTaskQueueSetter() { current_task_queue = previous_; }

}  // namespace webrtc

namespace rtc {

ScopedYieldPolicy::ScopedYieldPolicy(YieldInterface* policy) : previous_(current_yield_policy) {
  current_yield_policy = policy;
}

ScopedYieldPolicy::~ScopedYieldPolicy() { current_yield_policy = previous_; }

void ScopedYieldPolicy::YieldExecution() {
  if (current_yield_policy != nullptr) current_yield_policy->YieldExecution();
}

}  // namespace rtc
