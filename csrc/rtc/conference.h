// Calls that hear each other, and the application among them.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "audio/audio_port.h"
#include "rtc/hearing.h"
#include "rtc/mix_minus.h"

namespace telnyx {

class PortTrack;

// Each member hears all others. The application, if it brings a port, is heard by all with what it writes there, and
// hears all members.
//
// Everything but Prepare is done by who holds the lock of the clock.
class Conference {
 public:
  Conference(uint64_t id, std::shared_ptr<AudioPort> port);  // the port may be null

  uint64_t id() const { return id_; }
  AudioPort* port() { return port_.get(); }

  // What Add needs, on a control thread, one at a time.
  MixMinus::Preparation Prepare(int sample_rate) const { return mix_.Prepare(sample_rate); }

  // From the next tick on, faded in. False if there is no room for another member.
  bool Add(PortTrack* track, bool heard, MixMinus::Preparation preparation);
  // Whether the others hear a member; false if it is none.
  bool SetHeard(PortTrack* track, bool heard);
  void Remove(PortTrack* track);                    // faded out within the next tick, for both sides
  void Forget(PortTrack* track);                    // the same, but the track is not used any more
  void Replace(PortTrack* track, PortTrack* next);  // which has the same port
  void Close();                                     // all leave
  bool closed() const { return closed_; }

  // Those who have not left.
  template <typename Do>
  void ForEachTrack(Do&& what) const {
    for (const Member& member : members_)
      if (member.track != nullptr && !member.leaving) what(member.track);
  }

  bool active() const;  // whether ticks do anything
  void Sweep();         // frees who has left

  // Once a tick, when everything received was delivered and before it is sent.
  void Tick();

 private:
  struct Member {
    PortTrack* track;  // null when it was closed
    MixMinus::Seat* seat;
    bool heard;
    bool leaving;
  };

  void ListenToApplication();
  void TellApplication();

  const uint64_t id_;
  const std::shared_ptr<AudioPort> port_;
  MixMinus mix_;
  std::vector<Member> members_;
  bool closed_ = false;
  // Of the port.
  std::unique_ptr<Hearing> hearing_;
  MixMinus::Seat* seat_ = nullptr;
  std::array<int16_t, AudioPort::kMaxFrame> sent_;
};

}  // namespace telnyx
