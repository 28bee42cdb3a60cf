// What makes a microphone fit for a call: libwebrtc's echo canceller, noise suppression, gain control and high-pass.

#pragma once

#include <cstddef>
#include <cstdint>

#include "modules/audio_processing/include/audio_processing.h"

namespace telnyx {

struct ProcessingOptions {
  static constexpr int kMaxNoiseSuppression = 4;

  bool echo_cancellation = true;
  int noise_suppression = 3;  // 0 is none, then libwebrtc's levels from low to very high
  bool gain_control = true;
  bool high_pass = true;
};

// Frames are 10 ms of mono. The far end's come before what the microphone heard of them. Nothing is allocated after it
// is made; the two methods may be called by different threads.
class AudioProcessor {
 public:
  AudioProcessor(int sample_rate, const ProcessingOptions& options);  // of kSampleRates
  AudioProcessor(const AudioProcessor&) = delete;
  AudioProcessor& operator=(const AudioProcessor&) = delete;

  size_t frame_size() const { return format_.num_frames(); }

  // Takes what the loudspeaker is about to play.
  void AddFarEnd(const int16_t* frame);

  // Processes, in place, what the microphone heard.
  void Process(int16_t* frame);

 private:
  const webrtc::StreamConfig format_;
  const rtc::scoped_refptr<webrtc::AudioProcessing> processing_;
};

}  // namespace telnyx
