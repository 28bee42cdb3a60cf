// The "mixer" of libwebrtc that does not mix: every call's audio is wanted by itself.

#pragma once

#include <mutex>
#include <vector>

#include "api/audio/audio_frame.h"
#include "api/audio/audio_mixer.h"

namespace telnyx {

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

  // From the media clock: 10 ms of every source.
  void PullAll();

  // From a source's sink, within PullAll: the rate at which this source is to be pulled from now on.
  void WantRate(int sample_rate) { wanted_rate_ = sample_rate; }

  // Also within PullAll: a source's jitter buffer leaves for its sink what came beside the audio.
  void OnTelephoneEvents(TelephoneEvents* events) { events_ = events; }
  TelephoneEvents* telephone_events() const { return events_; }

 private:
  struct Pulled {
    Source* source;
    int sample_rate;
  };

  std::mutex mutex_;  // between native threads only; removal waits for a pull in progress
  std::vector<Pulled> sources_;
  webrtc::AudioFrame frame_;
  int wanted_rate_ = 0;
  TelephoneEvents* events_ = nullptr;
};

}  // namespace telnyx
