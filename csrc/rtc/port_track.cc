#include "rtc/port_track.h"

#include <algorithm>
#include <utility>

#include "api/make_ref_counted.h"
#include "audio/packet_outlet.h"
#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int kBitsPerSample = 16;
constexpr int kTroubleOfUnderrun = kTicksPerSecond;  // two within a second are one too many

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
    : port_(std::move(port)), mixer_(mixer), detectors_(port_.get()), source_(rtc::make_ref_counted<PortSource>()) {}

void PortTrack::Process(const ProcessingOptions& options) {
  processor_ = std::make_unique<AudioProcessor>(port_->sample_rate(), options);
}

void PortTrack::ProcessReceived(const ProcessingOptions& options) {
  received_processor_ = std::make_unique<AudioProcessor>(port_->sample_rate(), options);
}

void PortTrack::InheritFrom(const ClockLock&, const PortTrack& predecessor) {
  connected_ |= predecessor.connected_;
  echo_ = predecessor.echo_;
  held_ = predecessor.held_;
  echo_fade_ = predecessor.echo_fade_;
  due_ = predecessor.due_;
  together_ = predecessor.together_;
}

void PortTrack::OnData(const void* pcm, int, int sample_rate, size_t channels, size_t samples) {
  mixer_->WantRate(port_->sample_rate());
  if (PacketOutlet* const packets = mixer_->packets()) packets->Attach(live_ ? port_ : nullptr);
  if (!live_) return;
  mixer_->PullBefore(due_, together_);
  // Only the first frame of a stream can come at another rate; it precedes the media.
  if (sample_rate != port_->sample_rate() || samples != port_->frame_size()) return;
  // A remote party that sends stereo: telephony is mono, the left channel will do.
  const auto* samples_in = static_cast<const int16_t*>(pcm);
  for (size_t i = 0; i < samples; ++i) received_[i] = samples_in[i * channels];
  has_received_ = true;
  if (received_processor_) received_processor_->Process(received_.data());
  if (processor_) processor_->AddFarEnd(received_.data());
  port_->PushCapture(received_.data(), samples);
  detectors_.Process(received_.data(), mixer_->telephone_events());
}

void PortTrack::MixIn(const ClockLock&, const float* frame) {
  const size_t samples = port_->frame_size();
  if (!std::exchange(has_mixed_in_, true)) {
    std::copy_n(frame, samples, mixed_in_.begin());
  } else {
    for (size_t i = 0; i < samples; ++i) mixed_in_[i] += frame[i];
  }
}

void PortTrack::Echo(const ClockLock& lock) {
  echo_fade_.set_on(echo_ && !held_);
  if (echo_fade_.silent() || !has_received_) return;
  std::array<float, kMaxFrame> frame;
  std::copy_n(received_.begin(), port_->frame_size(), frame.begin());
  echo_fade_.Apply(frame.data(), port_->frame_size());
  MixIn(lock, frame.data());
}

int64_t PortTrack::NextDue(const ClockLock&, int64_t slot) {
  const int64_t next = slot + PullMixer::kSlots;
  const uint64_t underruns = port_->voice().underruns();
  trouble_ = std::max(trouble_ - 1, 0);
  if (std::exchange(underruns_, underruns) == underruns) return next;
  trouble_ += kTroubleOfUnderrun;
  if (trouble_ <= kTroubleOfUnderrun || together_) return next;
  trouble_ = 0;
  return next + 1;
}

void PortTrack::Send(const ClockLock& lock) {
  if (!connected_) {
    has_received_ = has_mixed_in_ = false;
    return;
  }
  const size_t samples = port_->frame_size();
  port_->TakePlayback(frame_.data());
  if (processor_) processor_->Process(frame_.data());
  Echo(lock);
  if (std::exchange(has_mixed_in_, false)) {
    for (size_t i = 0; i < samples; ++i) frame_[i] = ToSample(static_cast<float>(frame_[i]) + mixed_in_[i]);
  }
  port_->ApplyMute(frame_.data());
  port_->AddSignal(frame_.data());
  has_received_ = false;
  port_->Sent(frame_.data());
  source_->Deliver(frame_.data(), port_->sample_rate(), samples);
}

}  // namespace telnyx
