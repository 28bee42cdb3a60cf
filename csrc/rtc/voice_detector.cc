#include "rtc/voice_detector.h"

#include "audio/rates.h"
#include "rtc/build_contract.h"
#include "rtc_base/checks.h"

namespace telnyx {

namespace {

constexpr int kUnknownRate = 24000;
constexpr int kKnownRate = 16000;

std::unique_ptr<webrtc::PushSincResampler> ResamplerFor(int sample_rate) {
  if (sample_rate != kUnknownRate) return nullptr;
  return std::make_unique<webrtc::PushSincResampler>(FrameSize(kUnknownRate), FrameSize(kKnownRate));
}

}  // namespace

VoiceDetector::VoiceDetector(int sample_rate)
    : sample_rate_(sample_rate),
      frame_size_(FrameSize(sample_rate)),
      vad_(WebRtcVad_Create()),
      resampler_(ResamplerFor(sample_rate)) {
  RTC_CHECK(vad_);
  RTC_CHECK_EQ(WebRtcVad_Init(vad_.get()), 0);
  if (resampler_) {  // it makes a buffer when it is first used
    const std::array<int16_t, FrameSize(kUnknownRate)> silence{};
    resampler_->Resample(silence.data(), silence.size(), resampled_.data(), resampled_.size());
  }
}

void VoiceDetector::SetAggressiveness(int aggressiveness) {
  RTC_CHECK_EQ(WebRtcVad_set_mode(vad_.get(), aggressiveness), 0);
}

bool VoiceDetector::IsSpeech(const int16_t* frame) {
  if (!resampler_) return WebRtcVad_Process(vad_.get(), sample_rate_, frame, frame_size_) == 1;
  resampler_->Resample(frame, frame_size_, resampled_.data(), resampled_.size());
  return WebRtcVad_Process(vad_.get(), kKnownRate, resampled_.data(), resampled_.size()) == 1;
}

}  // namespace telnyx
