// A bounded queue of small values between one writing and one reading thread, without locks.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

namespace telnyx {

// Head and tail count values since the beginning; the place in the array is the count modulo the capacity.
template <typename T, size_t kCapacity>
class SpscRing {
 public:
  // Writer: false if there is no room.
  bool Push(const T& value) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kCapacity) return false;
    values_[tail % kCapacity] = value;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Reader: the oldest value.
  std::optional<T> Pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
    const T value = values_[head % kCapacity];
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

 private:
  std::array<T, kCapacity> values_{};
  alignas(64) std::atomic<size_t> head_{0};  // next to take
  alignas(64) std::atomic<size_t> tail_{0};  // next to fill
};

}  // namespace telnyx
