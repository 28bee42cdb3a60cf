#include "rtc/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace telnyx {

namespace {

int OpenEventFd() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

}  // namespace

Mailbox::Mailbox() : fd_(OpenEventFd()), ready_(std::make_unique<ReadyPort[]>(kMaxReady)) {}

Mailbox::~Mailbox() { close(fd_); }

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
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

void Mailbox::Acknowledge() {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
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
