// The "mixer" of libwebrtc that does not mix: every call's audio is wanted by itself.

#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "api/audio/audio_frame.h"
#include "api/audio/audio_mixer.h"

namespace telnyx {

class PacketOutlet;
class TelephoneEvents;

// libwebrtc's own mixer decodes every source at a common rate and sums them, which a headless SDK would throw away.
// This one pulls 10 ms from each source, at the rate its receiver wants, straight into that receiver's sink.
class PullMixer : public webrtc::AudioMixer {
 public:
  // From libwebrtc's worker thread.
  bool AddSource(Source* source) override;
  void RemoveSource(Source* source) override;
  // Never called: no audio device asks for a mix.
  void Mix(size_t channels, webrtc::AudioFrame* frame) override;

  // From the media clock: 10 ms of every source whose turn it is. Each has its own place among the slots of a period,
  // and keeps it, but for what its jitter buffer asks for.
  void PullDue(int64_t slot);
  int64_t NextDue() const;  // kNever without sources

  // From a source's sink, within PullDue: the rate at which this source is to be pulled from now on.
  void WantRate(int sample_rate) { wanted_rate_ = sample_rate; }

  // Also from there: its call sends in the slot `due`, so that one frame is pulled for each that is sent; `together`
  // if in the same slot, because the one goes into the other.
  void PullBefore(int64_t due, bool together) { before_ = {due, together}; }

  // Also within PullDue, from the source's jitter buffer: packets wait for so many milliseconds longer than necessary
  // (or less, if negative); and, for the sink, what came beside the audio, and where its packets are to be had.
  void OnSlack(double milliseconds) { slack_ = milliseconds; }
  void OnTelephoneEvents(TelephoneEvents* events) { events_ = events; }
  TelephoneEvents* telephone_events() const { return events_; }
  void OnPackets(PacketOutlet* outlet) { outlet_ = outlet; }
  PacketOutlet* packets() const { return outlet_; }

  static constexpr int64_t kSlots = 4;  // in a period of 10 ms
  static constexpr int64_t kNever = INT64_MAX;

 private:
  struct Before {
    int64_t due;
    bool together;
  };
  struct Pulled {
    Source* source;
    int sample_rate;
    int64_t due = 0;  // slot
    int judged = 0;   // pulls since the place was judged last
    double least_slack = 0;
  };

  int64_t Shift(Pulled& pulled);

  mutable std::mutex mutex_;  // between native threads only; removal waits for a pull in progress
  std::vector<Pulled> sources_;
  webrtc::AudioFrame frame_;
  // What is said within a pull.
  int wanted_rate_ = 0;
  std::optional<double> slack_;
  std::optional<Before> before_;
  TelephoneEvents* events_ = nullptr;
  PacketOutlet* outlet_ = nullptr;
};

}  // namespace telnyx
