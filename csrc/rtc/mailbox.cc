#include "rtc/mailbox.h"

#include <unistd.h>

#include <utility>

namespace telnyx {

Mailbox::Mailbox(int event_fd) : event_fd_(event_fd), ready_(std::make_unique<ReadyPort[]>(kMaxReady)) {}

void Mailbox::Post(Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= kMaxEvents) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    events_.push_back(std::move(event));
  }
  Wake();
}

bool Mailbox::PostReady(ReadyPort ready) {
  const size_t tail = ready_tail_.load(std::memory_order_relaxed);
  if (tail - ready_head_.load(std::memory_order_acquire) == kMaxReady) return false;
  ready_[tail % kMaxReady] = ready;
  ready_tail_.store(tail + 1, std::memory_order_release);
  return true;
}

void Mailbox::Wake() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the reader is awake anyway.
  [[maybe_unused]] const ssize_t written = write(event_fd_, &one, sizeof one);
}

void Mailbox::Acknowledge() {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = read(event_fd_, &count, sizeof count);
}

std::optional<Event> Mailbox::TakeEvent() {
  const std::lock_guard lock(mutex_);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::optional<ReadyPort> Mailbox::TakeReady() {
  const size_t head = ready_head_.load(std::memory_order_relaxed);
  if (head == ready_tail_.load(std::memory_order_acquire)) return std::nullopt;
  const ReadyPort ready = ready_[head % kMaxReady];
  ready_head_.store(head + 1, std::memory_order_release);
  return ready;
}

}  // namespace telnyx
