// Calls that hear each other, and the application among them.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "audio/audio_port.h"
#include "rtc/clock_lock.h"
#include "rtc/detectors.h"
#include "rtc/mix_minus.h"

namespace telnyx {

class PortTrack;

// Each member hears all others. The application, if it brings a port, is heard by all with what it writes there, and
// hears all members.
class Conference {
 public:
  Conference(uint64_t id, std::shared_ptr<AudioPort> port);  // the port may be null

  uint64_t id() const { return id_; }
  AudioPort* port() { return port_.get(); }

  // What Add needs, on a control thread, one at a time.
  MixMinus::Preparation Prepare(int sample_rate) const { return mix_.Prepare(sample_rate); }

  // From the next tick on, faded in. False if there is no room for another member.
  bool Add(const ClockLock& lock, PortTrack* track, bool heard, MixMinus::Preparation preparation);
  // Whether the others hear a member; false if it is none.
  bool SetHeard(const ClockLock& lock, PortTrack* track, bool heard);
  void Remove(const ClockLock& lock, PortTrack* track);  // faded out within the next tick, for both sides
  void Forget(const ClockLock& lock, PortTrack* track);  // the same, but the track is not used any more
  void Replace(const ClockLock& lock, PortTrack* track, PortTrack* next);  // which has the same port
  void Close(const ClockLock& lock);                                       // all leave
  bool closed(const ClockLock&) const { return closed_; }

  // Those who have not left.
  template <typename Do>
  void ForEachTrack(const ClockLock&, Do&& what) const {
    for (const Member& member : members_)
      if (member.track != nullptr && !member.leaving) what(member.track);
  }

  bool active(const ClockLock& lock) const;  // whether ticks do anything
  void Sweep(const ClockLock& lock);         // frees who has left

  // Once a tick, when everything received was delivered and before it is sent.
  void Tick(const ClockLock& lock);

 private:
  struct Member {
    PortTrack* track;  // null when it was closed
    MixMinus::Seat* seat;
    bool heard;
    bool leaving;
  };

  void TakeFromApplication();
  void GiveToApplication();

  const uint64_t id_;
  const std::shared_ptr<AudioPort> port_;
  MixMinus mix_;
  std::vector<Member> members_;
  bool closed_ = false;
  // Of the port.
  std::unique_ptr<Detectors> detectors_;
  MixMinus::Seat* seat_ = nullptr;
  std::array<int16_t, kMaxFrame> sent_;
};

}  // namespace telnyx
