// The thread that makes audio flow: every 10 ms, on absolute time, whatever Python does.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "api/scoped_refptr.h"
#include "rtc/clock_lock.h"
#include "rtc/conference.h"
#include "rtc/mailbox.h"
#include "rtc/port_track.h"
#include "rtc/pull_mixer.h"
#include "rtc_base/event.h"
#include "rtc_base/platform_thread.h"

namespace telnyx {

struct ClockCounters {
  uint64_t ticks = 0;
  uint64_t late = 0;     // ticks that began more than a period after they were due
  uint64_t skipped = 0;  // ticks given up because the machine stood still for longer than kMaxCatchUp
};

// A tick of a call: received audio is pulled from its jitter buffer and delivered to its port, conferences mix it, then
// its port sends 10 ms. Last, one write to the mailbox's file descriptor tells Python, if it waits for any of that.
//
// Calls do not tick all at the same time. The period is divided into slots, and calls are spread over them, so that
// not all encode at once. A call pulls in the slot after its packets come, at most three slots before it sends. Those
// of a conference tick together: all of them pull, and then all send, so joined audio spends no time here.
//
// A clock that woke late makes up for it slot by slot, so that no queued audio is lost. It sleeps in slots in which
// there is nothing to do.
class MediaClock {
 public:
  MediaClock(PullMixer* mixer, Mailbox* mailbox);
  ~MediaClock();

  // From native control threads.
  void Add(uint64_t peer, PortTrack* track);
  void Remove(PortTrack* track);  // from conferences, too; on return the clock no longer uses the track
  // Between two ticks, `next` takes the place of `track`, on the same port and in the same conferences.
  void Replace(PortTrack* track, uint64_t peer, PortTrack* next);
  void Add(std::shared_ptr<Conference> conference);  // until it is closed and all have left
  void RemoveFromConferences(PortTrack* track);
  void Synchronized(const std::function<void(const ClockLock&)>& between_ticks);

  ClockCounters Counters() const;

 private:
  struct CallEntry {
    uint64_t peer;
    PortTrack* track;
    unsigned unreported;  // readiness that the mailbox had no room for
  };

  struct ConferenceEntry {
    std::shared_ptr<Conference> conference;
    unsigned unreported;
    int64_t due;  // slot
  };

  void Run();
  int64_t NextDue() const;            // a slot, or PullMixer::kNever
  void Sweep(const ClockLock& lock);  // frees what has ended
  int64_t MakeUp(int64_t behind);     // nanoseconds; returns how many of them are given up
  void Tick(int64_t slot);
  void Report(const ClockLock& lock);
  bool Report(uint64_t id, AudioPort& port, unsigned& unreported);
  void Align(const ClockLock& lock);
  int64_t RarestSlot(const ClockLock& lock) const;

  PullMixer* const mixer_;
  Mailbox* const mailbox_;
  mutable std::mutex mutex_;  // between native threads only
  std::vector<CallEntry> calls_;
  std::vector<ConferenceEntry> conferences_;
  std::atomic<int64_t> slot_{0};  // the last one that was begun
  rtc::Event work_;               // set when a call comes or the clock is to end
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> ticks_{0}, late_{0}, skipped_{0};
  rtc::PlatformThread thread_;  // last: it uses all of the above
};

}  // namespace telnyx
