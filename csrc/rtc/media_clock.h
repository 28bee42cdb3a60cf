// The thread that makes audio flow: every 10 ms, on absolute time, whatever Python does.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "api/scoped_refptr.h"
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

// In one tick, for all calls: received audio is pulled from every jitter buffer and delivered to its port, conferences
// mix it, then every port sends 10 ms; so joined audio spends no time here. Last, one write to the mailbox's file
// descriptor tells Python, if it waits for any of that.
//
// A clock that woke late makes up for it tick by tick, so that no queued audio is lost. With nothing to do it sleeps.
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
  void Synchronized(const std::function<void()>& between_ticks);

  ClockCounters Counters() const;

 private:
  struct Call {
    uint64_t peer;
    PortTrack* track;
    unsigned unreported;  // readiness that the mailbox had no room for
  };

  struct Room {
    std::shared_ptr<Conference> conference;
    unsigned unreported;
  };

  void Run();
  bool Idle();
  void Sweep();                    // frees what has ended
  int64_t MakeUp(int64_t behind);  // nanoseconds; returns how many of them are given up
  void Tick();
  void Report();
  bool Report(uint64_t id, AudioPort& port, unsigned& unreported);

  PullMixer* const mixer_;
  Mailbox* const mailbox_;
  std::mutex mutex_;  // between native threads only
  std::vector<Call> calls_;
  std::vector<Room> rooms_;
  rtc::Event work_;  // set when a call comes or the clock is to end
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> ticks_{0}, late_{0}, skipped_{0};
  rtc::PlatformThread thread_;  // last: it uses all of the above
};

}  // namespace telnyx
