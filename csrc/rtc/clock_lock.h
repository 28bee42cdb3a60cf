// What a function takes that may run only while the media clock stands still.

#pragma once

#include <mutex>

namespace telnyx {

// The lock of the media clock, held as long as this lives. Only the clock makes one: who has a reference to it got it
// from the clock, so the compiler sees that the lock is held.
class ClockLock {
 public:
  ClockLock(const ClockLock&) = delete;
  ClockLock& operator=(const ClockLock&) = delete;

 private:
  friend class MediaClock;
  explicit ClockLock(std::mutex& mutex) : guard_(mutex) {}

  const std::lock_guard<std::mutex> guard_;
};

}  // namespace telnyx
