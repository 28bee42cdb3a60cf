#include "rtc/port_track.h"

#include <algorithm>
#include <utility>

#include "api/make_ref_counted.h"
#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int kBitsPerSample = 16;

int16_t AddSaturated(int16_t a, int16_t b) { return static_cast<int16_t>(std::clamp(a + b, -32768, 32767)); }

}  // namespace

void PortSource::AddSink(webrtc::AudioTrackSinkInterface* sink) {
  const std::lock_guard lock(mutex_);
  sinks_.push_back(sink);
}

void PortSource::RemoveSink(webrtc::AudioTrackSinkInterface* sink) {
  const std::lock_guard lock(mutex_);
  std::erase(sinks_, sink);
}

void PortSource::Deliver(const int16_t* frame, int sample_rate, size_t samples) {
  const std::lock_guard lock(mutex_);
  for (webrtc::AudioTrackSinkInterface* sink : sinks_)
    sink->OnData(frame, kBitsPerSample, sample_rate, /*number_of_channels=*/1, samples,
                 /*absolute_capture_timestamp_ms=*/absl::nullopt);
}

PortTrack::PortTrack(std::shared_ptr<AudioPort> port, PullMixer* mixer)
    : port_(std::move(port)), mixer_(mixer), hearing_(port_.get()), source_(rtc::make_ref_counted<PortSource>()) {}

void PortTrack::Process(const ProcessingOptions& options) {
  processor_ = std::make_unique<AudioProcessor>(port_->sample_rate(), options);
}

void PortTrack::OnData(const void* pcm, int, int sample_rate, size_t channels, size_t samples) {
  mixer_->WantRate(port_->sample_rate());
  if (!live_) return;
  mixer_->PullBefore(due_, joined_up_);
  // Only the first frame of a stream can come at another rate; it precedes the media.
  if (sample_rate != port_->sample_rate() || samples != port_->frame_size()) return;
  const auto* received = static_cast<const int16_t*>(pcm);
  if (channels > 1) {  // a far end that sends stereo: telephony is mono, the left channel will do
    for (size_t i = 0; i < samples; ++i) frame_[i] = received[i * channels];
    received = frame_.data();
  }
  if (processor_) processor_->AddFarEnd(received);
  port_->PushCapture(received, samples);
  hearing_.Listen(received, mixer_->telephone_events());
  if (join_target_ != nullptr) join_target_->Blend(received, samples);
}

void PortTrack::Blend(const int16_t* frame, size_t samples) {
  if (samples != port_->frame_size()) return;
  if (!std::exchange(has_joined_, true)) {
    std::copy_n(frame, samples, joined_.begin());
  } else {
    for (size_t i = 0; i < samples; ++i) joined_[i] = AddSaturated(joined_[i], frame[i]);
  }
}

void PortTrack::Send() {
  const size_t samples = port_->frame_size();
  port_->TakePlayback(frame_.data());
  if (processor_) processor_->Process(frame_.data());
  if (std::exchange(has_joined_, false) && !port_->muted()) {
    for (size_t i = 0; i < samples; ++i) frame_[i] = AddSaturated(frame_[i], joined_[i]);
  }
  port_->Sent(frame_.data());
  source_->Deliver(frame_.data(), port_->sample_rate(), samples);
}

}  // namespace telnyx
