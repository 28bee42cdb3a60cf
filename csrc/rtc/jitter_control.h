// When the jitter buffer plays a packet, and when it changes the pace of speech for that.

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "audio/rates.h"
#include "modules/audio_coding/neteq/decision_logic.h"
#include "rtc/jitter_target.h"

namespace telnyx {

// libwebrtc's jitter buffer (NetEq) counts jitter in steps of 20 ms and its own ticks, begins with a target of 80 ms,
// forgets in half a minute, and tolerates up to 20 ms more than it wants: a call in which nothing jitters lags by 20
// to 40 ms for no one's benefit. This controller knows when packets arrived to the microsecond and plays each as soon
// as JitterTarget allows. What it adds and takes away are pitch periods, as before.
class JitterControl : public webrtc::DecisionLogic {
 public:
  explicit JitterControl(const webrtc::NetEqController::Config& config);

  // Before PacketArrived, on the same thread: whether the next packet repeats the one before it. NetEq counts RED
  // blocks as packets, and so takes it for longer than it is.
  void AnnounceRedundancy(bool has_redundancy, size_t blocks) {
    has_redundancy_ = has_redundancy;
    blocks_ = blocks;
  }

  // How much longer than necessary packets wait, in milliseconds; less, if negative. On the thread of GetDecision.
  std::optional<double> Slack() const;

  void SoftReset() override;
  void SetSampleRate(int rate, size_t output_size) override;
  webrtc::NetEq::Operation GetDecision(const NetEqStatus& status, bool* reset_decoder) override;
  absl::optional<int> PacketArrived(int rate, bool should_update_stats, const PacketArrivedInfo& info) override;
  int TargetLevelMs() const override;
  bool SetMinimumDelay(int delay_ms) override;
  bool SetBaseMinimumDelay(int delay_ms) override;
  int UnlimitedTargetLevelMs() const override { return TargetLevelMs(); }

 private:
  webrtc::NetEq::Operation ExpectedPacketAvailable(NetEqStatus status) override;
  double Offset(uint32_t timestamp, int64_t now_us);
  double TargetOffset() const;
  void Measure(const NetEqStatus& status);
  double packet_ms() const { return static_cast<double>(packet_length_samples()) / samples_per_ms_; }

  int samples_per_ms_ = 48;
  size_t output_samples_ = kMaxFrame;
  JitterTarget target_;
  int minimum_delay_ms_ = 0, base_minimum_delay_ms_ = 0;  // what the application or the remote party asks for
  bool has_redundancy_ = false;
  size_t blocks_ = 1;
  std::optional<uint16_t> last_sequence_number_;
  // Timestamps since the stream began, without wrapping around.
  std::optional<uint32_t> last_timestamp_;
  int64_t unwrapped_timestamp_ = 0;

  // Slack of the last packets. Of the thread of GetDecision.
  static constexpr size_t kMeasured = 5;
  std::array<double, kMeasured> slack_{};
  size_t measured_ = 0;
  int ticks_since_stretch_ = 0;
};

}  // namespace telnyx
