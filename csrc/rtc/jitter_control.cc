#include "rtc/jitter_control.h"

#include <algorithm>
#include <cmath>

#include "rtc/build_contract.h"
#include "rtc_base/time_utils.h"

namespace telnyx {

namespace {

using Operation = webrtc::NetEq::Operation;

constexpr double kTickMs = 10;
// Taking a pitch period away (2.5 to 15 ms) lets packets wait one or two ticks less.
constexpr double kTooLong = 1.5 * kTickMs;
constexpr double kMuchTooLong = 120;
// Up to here, pulling somewhat later is enough (PullMixer).
constexpr double kTooShort = -2;
constexpr int kTicksBetweenStretches = 5;
constexpr int16_t kNotFaded = 1 << 14;
constexpr int kFutureOverlap = 5;  // samples at 8 kHz that NetEq keeps to fade into a concealment

bool IsStretched(webrtc::NetEq::Mode mode) {
  using Mode = webrtc::NetEq::Mode;
  return mode == Mode::kAccelerateSuccess || mode == Mode::kAccelerateLowEnergy ||
         mode == Mode::kPreemptiveExpandSuccess || mode == Mode::kPreemptiveExpandLowEnergy;
}

}  // namespace

JitterControl::JitterControl(const webrtc::NetEqController::Config& config) : DecisionLogic(config) {}

void JitterControl::SoftReset() {
  DecisionLogic::SoftReset();
  target_.Reset();
  last_sequence_number_.reset();
  last_timestamp_.reset();
  unwrapped_timestamp_ = 0;
  measured_ = 0;
}

void JitterControl::SetSampleRate(int rate, size_t output_size) {
  DecisionLogic::SetSampleRate(rate, output_size);
  if (rate / 1000 != samples_per_ms_) last_timestamp_.reset();
  samples_per_ms_ = rate / 1000;
  output_samples_ = output_size;
}

absl::optional<int> JitterControl::PacketArrived(int rate, bool should_update_stats, const PacketArrivedInfo& counted) {
  PacketArrivedInfo info = counted;
  info.packet_length_samples /= blocks_;
  const auto relative_delay = DecisionLogic::PacketArrived(rate, should_update_stats, info);
  if (!should_update_stats || info.is_cng_or_dtmf) return relative_delay;
  const double offset = Offset(info.main_timestamp, rtc::TimeMicros());
  target_.Arrived(offset, packet_ms());
  const uint16_t number = info.main_sequence_number;
  if (last_sequence_number_ && has_redundancy_ && static_cast<uint16_t>(number - *last_sequence_number_) == 2)
    target_.Arrived(offset + packet_ms(), packet_ms());
  if (!last_sequence_number_ || static_cast<int16_t>(number - *last_sequence_number_) > 0)
    last_sequence_number_ = number;
  return relative_delay;
}

double JitterControl::Offset(uint32_t timestamp, int64_t now_us) {
  const int64_t step = last_timestamp_ ? static_cast<int32_t>(timestamp - *last_timestamp_) : 0;
  const int64_t unwrapped = unwrapped_timestamp_ + step;
  if (!last_timestamp_ || step > 0) {
    last_timestamp_ = timestamp;
    unwrapped_timestamp_ = unwrapped;
  }
  return static_cast<double>(now_us) / 1000 - static_cast<double>(unwrapped) / samples_per_ms_;
}

double JitterControl::TargetOffset() const {
  const double least = std::max(minimum_delay_ms_, base_minimum_delay_ms_) - target_.delay();
  return target_.offset() + std::max(least, 0.0);
}

// NetEq thinks in what is buffered beside the packet that it plays; so this has a packet's length in it.
int JitterControl::TargetLevelMs() const {
  return static_cast<int>(std::lround(target_.delay() + TargetOffset() - target_.offset() + packet_ms()));
}

bool JitterControl::SetMinimumDelay(int delay_ms) {
  if (!DecisionLogic::SetMinimumDelay(delay_ms)) return false;
  minimum_delay_ms_ = delay_ms;
  return true;
}

bool JitterControl::SetBaseMinimumDelay(int delay_ms) {
  if (!DecisionLogic::SetBaseMinimumDelay(delay_ms)) return false;
  base_minimum_delay_ms_ = delay_ms;
  return true;
}

Operation JitterControl::GetDecision(const NetEqStatus& status, bool* reset_decoder) {
  if (IsStretched(status.last_mode)) {
    ticks_since_stretch_ = 0;
    measured_ = 0;  // what was measured before is not true any more
  } else {
    ++ticks_since_stretch_;
  }
  if (status.last_mode != webrtc::NetEq::Mode::kCodecPlc) return DecisionLogic::GetDecision(status, reset_decoder);
  // How far NetEq's own concealment has faded says nothing about the codec's, but would hold back what has arrived.
  NetEqStatus concealed = status;
  concealed.expand_mutefactor = kNotFaded;
  return DecisionLogic::GetDecision(concealed, reset_decoder);
}

void JitterControl::Measure(const NetEqStatus& status) {
  const auto overlap = static_cast<size_t>(kFutureOverlap * samples_per_ms_ / 8);
  if (status.sync_buffer_samples >= overlap + output_samples_) return;  // not its turn yet
  const double offset = Offset(status.target_timestamp, rtc::TimeMicros());
  slack_[measured_++ % kMeasured] = offset - TargetOffset();
}

// The least of the last packets: a clock that woke late makes others seem to wait.
std::optional<double> JitterControl::Slack() const {
  if (measured_ < kMeasured) return std::nullopt;
  return *std::min_element(slack_.begin(), slack_.end());
}

Operation JitterControl::ExpectedPacketAvailable(NetEqStatus status) {
  Measure(status);
  if (status.last_mode == webrtc::NetEq::Mode::kExpand || status.play_dtmf) return Operation::kNormal;
  const auto slack = Slack();
  if (!slack || ticks_since_stretch_ < kTicksBetweenStretches) return Operation::kNormal;
  if (*slack > kMuchTooLong) return Operation::kFastAccelerate;
  if (*slack > kTooLong) return Operation::kAccelerate;
  return *slack < kTooShort ? Operation::kPreemptiveExpand : Operation::kNormal;
}

}  // namespace telnyx
