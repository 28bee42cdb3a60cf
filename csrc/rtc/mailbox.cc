#include "rtc/mailbox.h"

#include <unistd.h>

#include <utility>

namespace telnyx {

Mailbox::Mailbox(int event_fd) : event_fd_(event_fd) {}

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

}  // namespace telnyx
