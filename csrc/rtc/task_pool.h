// Task queues that share a fixed set of threads.

#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "api/task_queue/task_queue_factory.h"

namespace telnyx {

// libwebrtc asks for several task queues per call (encoder, pacer, transport). Its own factory starts a thread for
// each; here every queue is served by one thread of a small pool, so that threads do not grow with calls and one
// wake-up serves many queues. The pool must outlive all of its queues.
class TaskPool : public webrtc::TaskQueueFactory {
 public:
  explicit TaskPool(size_t threads);
  ~TaskPool() override;

  std::unique_ptr<webrtc::TaskQueueBase, webrtc::TaskQueueDeleter> CreateTaskQueue(absl::string_view name,
                                                                                   Priority priority) const override;

  class Worker;

  // For those who want to own their factory: stands for a pool that somebody else keeps alive.
  class Reference : public webrtc::TaskQueueFactory {
   public:
    explicit Reference(const TaskPool* pool) : pool_(pool) {}
    std::unique_ptr<webrtc::TaskQueueBase, webrtc::TaskQueueDeleter> CreateTaskQueue(absl::string_view name,
                                                                                     Priority priority) const override {
      return pool_->CreateTaskQueue(name, priority);
    }

   private:
    const TaskPool* const pool_;
  };

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  mutable std::atomic<size_t> next_{0};
};

}  // namespace telnyx
