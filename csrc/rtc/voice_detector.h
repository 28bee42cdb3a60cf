// Whether somebody speaks: libwebrtc's voice activity detector.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common_audio/resampler/push_sinc_resampler.h"
#include "common_audio/vad/include/webrtc_vad.h"

namespace telnyx {

// Compares the power in six bands up to 4 kHz with models of speech and noise, and learns the noise as it goes (see
// common_audio/vad in libwebrtc). One thread at a time; nothing is allocated after it is made.
class VoiceDetector {
 public:
  static constexpr int kMaxAggressiveness = 3;

  explicit VoiceDetector(int sample_rate);  // of kSampleRates
  VoiceDetector(const VoiceDetector&) = delete;
  VoiceDetector& operator=(const VoiceDetector&) = delete;

  // 0: speech is rarely missed, up to 3: noise is rarely taken for speech.
  void SetAggressiveness(int aggressiveness);

  size_t frame_size() const { return frame_size_; }

  // Takes the next 10 ms; tells whether they are speech.
  bool IsSpeech(const int16_t* frame);

 private:
  struct Free {
    void operator()(VadInst* vad) const { WebRtcVad_Free(vad); }
  };

  const int sample_rate_;
  const size_t frame_size_;
  const std::unique_ptr<VadInst, Free> vad_;
  const std::unique_ptr<webrtc::PushSincResampler> resampler_;  // for the rate that the detector does not know
  std::array<int16_t, 160> resampled_{};
};

}  // namespace telnyx
