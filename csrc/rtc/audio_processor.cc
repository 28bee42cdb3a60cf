#include "rtc/audio_processor.h"

#include <array>

#include "audio/rates.h"
#include "rtc/build_contract.h"
#include "rtc/library.h"
#include "rtc_base/checks.h"

namespace telnyx {

namespace {

using webrtc::AudioProcessing;

AudioProcessing::Config Configuration(const ProcessingOptions& options) {
  using Level = AudioProcessing::Config::NoiseSuppression::Level;
  AudioProcessing::Config config;
  config.pipeline.maximum_internal_processing_rate = kMaxSampleRate;
  config.echo_canceller.enabled = options.echo_cancellation;
  config.high_pass_filter.enabled = options.high_pass;
  config.noise_suppression.enabled = options.noise_suppression > 0;
  if (config.noise_suppression.enabled)
    config.noise_suppression.level = static_cast<Level>(options.noise_suppression - 1);
  config.gain_controller2.enabled = options.gain_control;
  config.gain_controller2.adaptive_digital.enabled = options.gain_control;
  return config;
}

rtc::scoped_refptr<AudioProcessing> Create(const ProcessingOptions& options) {
  InitializeLibrary();  // it would log
  return webrtc::AudioProcessingBuilder().SetConfig(Configuration(options)).Create();
}

}  // namespace

AudioProcessor::AudioProcessor(int sample_rate, const ProcessingOptions& options)
    : format_(sample_rate, /*num_channels=*/1), processing_(Create(options)) {
  RTC_CHECK(processing_);
  const webrtc::ProcessingConfig formats{{format_, format_, format_, format_}};
  RTC_CHECK_EQ(processing_->Initialize(formats), AudioProcessing::kNoError);
  // Some parts make their buffers with the first frame.
  std::array<int16_t, kMaxFrame> silence{};
  AddFarEnd(silence.data());
  Process(silence.data());
}

void AudioProcessor::AddFarEnd(const int16_t* frame) {
  std::array<int16_t, kMaxFrame> processed;  // the same: nothing is set to change it
  RTC_CHECK_EQ(processing_->ProcessReverseStream(frame, format_, format_, processed.data()), AudioProcessing::kNoError);
}

void AudioProcessor::Process(int16_t* frame) {
  RTC_CHECK_EQ(processing_->ProcessStream(frame, format_, format_, frame), AudioProcessing::kNoError);
}

}  // namespace telnyx
