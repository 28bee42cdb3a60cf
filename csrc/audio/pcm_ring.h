// A bounded queue of 16-bit samples between one writing and one reading thread, without locks.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "audio/zeroed_pages.h"

namespace telnyx {

// Positions count samples since the beginning and never wrap. The read position may also be moved forward by
// others than the reader: by Clear() from any thread, and by the writer when it overwrites the oldest samples.
// A reader that was copying meanwhile notices, because its compare-exchange fails, and copies again.
//
// Samples are atomics so that such a discarded copy is no data race. A reader that sees a sample of a later lap
// (acquire) also sees the moved read position that made room for it (released before), hence never keeps it.
//
// Whenever the writer finds the ring empty, it begins again at the front. So a ring that is emptied at each turn stays
// within its first page, and in the cache, however long it is. `origin_` is the position whose sample lies in front. A
// reader that sees it moved (acquire) also sees the moved read position that had emptied the ring.
class PcmRing {
 public:
  explicit PcmRing(size_t capacity) : capacity_(capacity), samples_(capacity) {}

  size_t capacity() const { return capacity_; }
  uint64_t read_position() const { return read_.load(std::memory_order_acquire); }
  uint64_t write_position() const { return written_.load(std::memory_order_acquire); }

  size_t Available() const {
    const uint64_t read = read_position();  // first: the write position can only be further
    return static_cast<size_t>(write_position() - read);
  }

  size_t Space() const {
    const uint64_t written = write_position();
    const uint64_t read = read_position();
    return read >= written ? capacity_ : capacity_ - static_cast<size_t>(written - read);
  }

  // Writer: takes what fits, returns how many samples that were.
  size_t Write(const int16_t* pcm, size_t count) {
    const size_t space = Space();
    if (count > space) count = space;
    Store(pcm, count);
    return count;
  }

  // Writer: takes everything, at the expense of the oldest samples; returns how many of those were lost.
  size_t Overwrite(const int16_t* pcm, size_t count) {
    size_t lost = 0;
    if (count > capacity_) {
      lost = count - capacity_;
      pcm += lost;
      count = capacity_;
    }
    const uint64_t end = written_.load(std::memory_order_relaxed) + count;
    if (end > capacity_) lost += SkipTo(end - capacity_);
    Store(pcm, count);
    return lost;
  }

  // Reader: copies up to `count` samples and consumes them; returns how many. In portions, for a portion is copied
  // again if the writer overwrote its beginning meanwhile: a slow reader of a full ring would never come to its end.
  size_t Read(int16_t* pcm, size_t count) {
    size_t taken = 0;
    while (taken < count) {
      const size_t more = ReadPortion(pcm + taken, std::min(count - taken, kPortion));
      if (more == 0) break;
      taken += more;
    }
    return taken;
  }

  // Any thread: consumes everything up to `position` without copying; returns how many samples that were.
  size_t SkipTo(uint64_t position) {
    uint64_t read = read_.load(std::memory_order_acquire);
    while (read < position) {
      if (read_.compare_exchange_weak(read, position, std::memory_order_acq_rel, std::memory_order_acquire))
        return static_cast<size_t>(position - read);
    }
    return 0;
  }

 private:
  static constexpr size_t kPortion = 480;  // less than 10 ms of copying, also under a sanitizer

  static_assert(std::atomic<int16_t>::is_always_lock_free && sizeof(std::atomic<int16_t>) == sizeof(int16_t));

  size_t ReadPortion(int16_t* pcm, size_t count) {
    uint64_t read = read_.load(std::memory_order_acquire);
    while (true) {
      const uint64_t written = written_.load(std::memory_order_acquire);
      const size_t available = written > read ? static_cast<size_t>(written - read) : 0;
      const size_t taken = count < available ? count : available;
      if (taken == 0) return 0;
      Load(read, pcm, taken);
      if (read_.compare_exchange_weak(read, read + taken, std::memory_order_acq_rel, std::memory_order_acquire))
        return taken;
    }
  }

  // For a reader whose samples are gone already it is any place: it will not keep what it finds there.
  size_t Place(uint64_t position) const {
    return static_cast<size_t>((position - origin_.load(std::memory_order_acquire)) % capacity_);
  }

  void Store(const int16_t* pcm, size_t count) {
    const uint64_t written = written_.load(std::memory_order_relaxed);
    if (read_.load(std::memory_order_acquire) >= written) origin_.store(written, std::memory_order_release);
    size_t index = Place(written);
    for (size_t i = 0; i < count; ++i) {
      samples_[index].store(pcm[i], std::memory_order_release);
      if (++index == capacity_) index = 0;
    }
    written_.store(written + count, std::memory_order_release);
  }

  void Load(uint64_t position, int16_t* pcm, size_t count) const {
    size_t index = Place(position);
    for (size_t i = 0; i < count; ++i) {
      pcm[i] = samples_[index].load(std::memory_order_acquire);
      if (++index == capacity_) index = 0;
    }
  }

  const size_t capacity_;
  const ZeroedPages<std::atomic<int16_t>> samples_;
  alignas(64) std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> origin_{0};
  alignas(64) std::atomic<uint64_t> read_{0};
};

}  // namespace telnyx
