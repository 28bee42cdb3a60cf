#include "rtc/task_pool.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "api/task_queue/task_queue_base.h"
#include "rtc/build_contract.h"
#include "rtc_base/event.h"
#include "rtc_base/platform_thread.h"
#include "rtc_base/time_utils.h"

namespace telnyx {

using Task = absl::AnyInvocable<void() &&>;

namespace {

class PooledQueue;

}  // namespace

// One thread, and the queues it serves. Tasks of one queue run in order because one thread runs them all.
class TaskPool::Worker {
 public:
  Worker() : thread_(rtc::PlatformThread::SpawnJoinable([this] { Run(); }, "telnyx-tasks")) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.Set();
    thread_.Finalize();
  }

  void Post(PooledQueue* queue, Task task);
  void PostAt(PooledQueue* queue, Task task, int64_t due_us);

  // Drops what `queue` still has to do, and waits until nothing of it runs.
  void Retire(PooledQueue* queue);

 private:
  struct Entry {
    PooledQueue* queue;
    Task task;
  };
  struct Timed {
    int64_t due_us;
    uint64_t order;  // equal times run in the order they were posted
    Entry entry;
    // std heaps put the greatest first; the earliest is the greatest here.
    bool operator<(const Timed& other) const { return std::pair(due_us, order) > std::pair(other.due_us, other.order); }
  };

  void Run();
  void MoveDue(int64_t now_us);                            // with mutex_ held
  webrtc::TimeDelta UntilNextTimer(int64_t now_us) const;  // with mutex_ held

  std::mutex mutex_;
  rtc::Event wake_;
  rtc::Event task_done_;  // set after a task whose queue is being retired
  std::deque<Entry> ready_;
  std::vector<Timed> timed_;  // a heap
  uint64_t order_ = 0;
  PooledQueue* running_ = nullptr;
  bool retiring_running_ = false;
  bool idle_ = false;
  bool stopping_ = false;
  rtc::PlatformThread thread_;  // last: it uses all of the above
};

namespace {

class PooledQueue final : public webrtc::TaskQueueBase {
 public:
  explicit PooledQueue(TaskPool::Worker* worker) : worker_(worker) {}

  void Delete() override {
    worker_->Retire(this);
    delete this;
  }

  void PostTask(Task task) override { worker_->Post(this, std::move(task)); }

  void PostDelayedTask(Task task, webrtc::TimeDelta delay) override {
    worker_->PostAt(this, std::move(task), rtc::TimeMicros() + delay.us());
  }

  void PostDelayedHighPrecisionTask(Task task, webrtc::TimeDelta delay) override {
    PostDelayedTask(std::move(task), delay);
  }

  void Run(Task task) {
    const CurrentTaskQueueSetter current(this);
    Task running = std::move(task);  // destroyed while this queue is still the current one
    std::move(running)();
  }

 private:
  ~PooledQueue() override = default;

  TaskPool::Worker* const worker_;
};

}  // namespace

void TaskPool::Worker::Post(PooledQueue* queue, Task task) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    ready_.push_back({queue, std::move(task)});
    wake = std::exchange(idle_, false);  // a thread at work finds the task by itself
  }
  if (wake) wake_.Set();
}

void TaskPool::Worker::PostAt(PooledQueue* queue, Task task, int64_t due_us) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    const bool earliest = timed_.empty() || due_us < timed_.front().due_us;
    timed_.push_back({due_us, order_++, {queue, std::move(task)}});
    std::push_heap(timed_.begin(), timed_.end());
    wake = earliest && std::exchange(idle_, false);
  }
  if (wake) wake_.Set();
}

void TaskPool::Worker::Retire(PooledQueue* queue) {
  std::vector<Task> dropped;  // destroyed outside the lock: a task's destructor may post or delete queues
  bool wait = false;
  {
    const std::lock_guard lock(mutex_);
    for (auto& entry : ready_)
      if (entry.queue == queue) dropped.push_back(std::move(entry.task));
    std::erase_if(ready_, [queue](const Entry& entry) { return entry.queue == queue; });
    for (auto& timed : timed_)
      if (timed.entry.queue == queue) dropped.push_back(std::move(timed.entry.task));
    std::erase_if(timed_, [queue](const Timed& timed) { return timed.entry.queue == queue; });
    std::make_heap(timed_.begin(), timed_.end());
    wait = running_ == queue && webrtc::TaskQueueBase::Current() != queue;
    if (wait) retiring_running_ = true;
  }
  if (wait) task_done_.Wait(rtc::Event::kForever);
}

void TaskPool::Worker::MoveDue(int64_t now_us) {
  while (!timed_.empty() && timed_.front().due_us <= now_us) {
    std::pop_heap(timed_.begin(), timed_.end());
    ready_.push_back(std::move(timed_.back().entry));
    timed_.pop_back();
  }
}

webrtc::TimeDelta TaskPool::Worker::UntilNextTimer(int64_t now_us) const {
  if (timed_.empty()) return rtc::Event::kForever;
  return webrtc::TimeDelta::Micros(std::max<int64_t>(timed_.front().due_us - now_us, 0));
}

void TaskPool::Worker::Run() {
  while (true) {
    Entry entry{nullptr, nullptr};
    webrtc::TimeDelta idle_for = webrtc::TimeDelta::Zero();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      const int64_t now_us = rtc::TimeMicros();
      MoveDue(now_us);
      if (ready_.empty()) {
        idle_ = true;
        idle_for = UntilNextTimer(now_us);
      } else {
        idle_ = false;
        entry = std::move(ready_.front());
        ready_.pop_front();
        running_ = entry.queue;
      }
    }
    if (entry.queue == nullptr) {
      wake_.Wait(idle_for, /*warn_after=*/rtc::Event::kForever);
      continue;
    }
    entry.queue->Run(std::move(entry.task));
    bool retired;
    {
      const std::lock_guard lock(mutex_);
      running_ = nullptr;
      retired = std::exchange(retiring_running_, false);
    }
    if (retired) task_done_.Set();
  }
}

TaskPool::TaskPool(size_t threads) {
  for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i) workers_.push_back(std::make_unique<Worker>());
}

TaskPool::~TaskPool() = default;

std::unique_ptr<webrtc::TaskQueueBase, webrtc::TaskQueueDeleter> TaskPool::CreateTaskQueue(absl::string_view,
                                                                                           Priority) const {
  Worker* worker = workers_[next_.fetch_add(1, std::memory_order_relaxed) % workers_.size()].get();
  return std::unique_ptr<webrtc::TaskQueueBase, webrtc::TaskQueueDeleter>(new PooledQueue(worker));
}

}  // namespace telnyx
