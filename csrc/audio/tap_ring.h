// The last seconds of both directions of a call, for any number of readers that do not disturb each other.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "audio/zeroed_pages.h"

namespace telnyx {

// One sample of each direction at the same time.
struct SamplePair {
  int16_t received;
  int16_t sent;
};

// One thread writes and never waits: the oldest samples are overwritten. Each reader has a position of its own, in
// samples since the beginning, which the writer does not know; so readers cost the writer nothing, come and go as they
// like, and one that falls behind by more than the capacity notices what it lost.
//
// A writer announces how far it will write (claimed_) before it stores. Pairs are atomics: a reader that sees one of a
// later lap (acquire) also sees the announcement (made before the release), and discards its copy.
class TapRing {
 public:
  explicit TapRing(size_t capacity) : capacity_(capacity), pairs_(capacity) {}

  size_t capacity() const { return capacity_; }
  uint64_t write_position() const { return written_.load(std::memory_order_acquire); }

  // Any thread: nothing is written while there is no reader. Open returns where the reader begins.
  uint64_t Open() {
    readers_.fetch_add(1, std::memory_order_relaxed);
    return write_position();
  }
  void Close() { readers_.fetch_sub(1, std::memory_order_relaxed); }
  bool has_readers() const { return readers_.load(std::memory_order_relaxed) > 0; }

  // Writer.
  void Write(const int16_t* received, const int16_t* sent, size_t count) {
    const uint64_t written = written_.load(std::memory_order_relaxed);
    claimed_.store(written + count, std::memory_order_relaxed);
    size_t index = static_cast<size_t>(written % capacity_);
    for (size_t i = 0; i < count; ++i) {
      pairs_[index].store({received[i], sent[i]}, std::memory_order_release);
      if (++index == capacity_) index = 0;
    }
    written_.store(written + count, std::memory_order_release);
  }

  // A reader: hands up to `count` pairs from `position` on to `take(index, pair)`, and moves `position` behind them.
  // Adds to `lost` what was overwritten. Pairs may be handed out twice; the last time counts. Returns how many.
  template <typename Take>
  size_t Read(uint64_t& position, uint64_t& lost, size_t count, Take take) const {
    while (true) {
      const uint64_t claimed = claimed_.load(std::memory_order_acquire);
      if (claimed > position + capacity_) {
        lost += claimed - capacity_ - position;
        position = claimed - capacity_;
      }
      const uint64_t written = write_position();
      if (written <= position) return 0;
      const size_t taken = static_cast<size_t>(std::min<uint64_t>(count, written - position));
      size_t index = static_cast<size_t>(position % capacity_);
      for (size_t i = 0; i < taken; ++i) {
        take(i, pairs_[index].load(std::memory_order_acquire));
        if (++index == capacity_) index = 0;
      }
      if (claimed_.load(std::memory_order_acquire) <= position + capacity_) {
        position += taken;
        return taken;
      }
    }
  }

 private:
  static_assert(std::atomic<SamplePair>::is_always_lock_free && sizeof(std::atomic<SamplePair>) == sizeof(SamplePair));

  const size_t capacity_;
  const ZeroedPages<std::atomic<SamplePair>> pairs_;
  std::atomic<int> readers_{0};
  alignas(64) std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> claimed_{0};
};

}  // namespace telnyx
