#include "rtc/voice_opus.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "rtc/build_contract.h"
#include "rtc_base/string_to_number.h"
#include "rtc_base/time_utils.h"

namespace telnyx {

namespace {

constexpr float kExpectedLoss = 0.1f;
constexpr float kForgetMs = 2000;         // time constant with which losses are forgotten
constexpr float kNegligibleLoss = 0.01f;  // for which no copies are made

// Losses count at once when they are reported, and are soon forgotten when no more are. libwebrtc's encoder smooths
// reports over ten seconds. What it is told here is what makes its average that which it should act on.
class PromptLossEncoder final : public webrtc::AudioEncoder {
 public:
  explicit PromptLossEncoder(std::unique_ptr<webrtc::AudioEncoder> opus) : opus_(std::move(opus)) {
    opus_->OnReceivedUplinkPacketLossFraction(kExpectedLoss);  // the first one is the average
  }

  void OnReceivedUplinkPacketLossFraction(float reported) override {
    const int64_t now_ms = rtc::TimeMillis();
    const auto elapsed = static_cast<float>(now_ms - last_report_ms_);
    if (elapsed <= 0) return;
    const float average = Counted();
    loss_ = std::max(reported, loss_ * std::exp(-elapsed / kForgetMs));
    const float kept = std::pow(kSmoothing, elapsed);
    opus_->OnReceivedUplinkPacketLossFraction((Counted() - kept * average) / (1 - kept));
    last_report_ms_ = now_ms;
  }

  int SampleRateHz() const override { return opus_->SampleRateHz(); }
  size_t NumChannels() const override { return opus_->NumChannels(); }
  int RtpTimestampRateHz() const override { return opus_->RtpTimestampRateHz(); }
  size_t Num10MsFramesInNextPacket() const override { return opus_->Num10MsFramesInNextPacket(); }
  size_t Max10MsFramesInAPacket() const override { return opus_->Max10MsFramesInAPacket(); }
  int GetTargetBitrate() const override { return opus_->GetTargetBitrate(); }
  void Reset() override { opus_->Reset(); }
  bool SetFec(bool enable) override { return opus_->SetFec(enable); }
  bool SetDtx(bool enable) override { return opus_->SetDtx(enable); }
  bool GetDtx() const override { return opus_->GetDtx(); }
  bool SetApplication(Application application) override { return opus_->SetApplication(application); }
  void SetMaxPlaybackRate(int frequency_hz) override { opus_->SetMaxPlaybackRate(frequency_hz); }
  void OnReceivedTargetAudioBitrate(int bps) override { opus_->OnReceivedTargetAudioBitrate(bps); }
  void OnReceivedUplinkBandwidth(int bps, absl::optional<int64_t> period_ms) override {
    opus_->OnReceivedUplinkBandwidth(bps, period_ms);
  }
  void OnReceivedUplinkAllocation(webrtc::BitrateAllocationUpdate update) override {
    opus_->OnReceivedUplinkAllocation(update);
  }
  void OnReceivedRtt(int rtt_ms) override { opus_->OnReceivedRtt(rtt_ms); }
  void OnReceivedOverhead(size_t bytes_per_packet) override { opus_->OnReceivedOverhead(bytes_per_packet); }
  void SetReceiverFrameLengthRange(int min_ms, int max_ms) override {
    opus_->SetReceiverFrameLengthRange(min_ms, max_ms);
  }
  webrtc::ANAStats GetANAStats() const override { return opus_->GetANAStats(); }
  absl::optional<std::pair<webrtc::TimeDelta, webrtc::TimeDelta>> GetFrameLengthRange() const override {
    return opus_->GetFrameLengthRange();
  }

 private:
  static constexpr float kSmoothing = 0.9999f;  // of libwebrtc's average, a millisecond (audio_encoder_opus.cc)

  // What copies are made for, and what libwebrtc's average was made to be.
  float Counted() const { return loss_ < kNegligibleLoss ? 0 : loss_; }

  EncodedInfo EncodeImpl(uint32_t timestamp, rtc::ArrayView<const int16_t> audio, rtc::Buffer* encoded) override {
    return opus_->Encode(timestamp, audio, encoded);
  }

  const std::unique_ptr<webrtc::AudioEncoder> opus_;
  float loss_ = kExpectedLoss;
  int64_t last_report_ms_ = rtc::TimeMillis();
};

absl::optional<int> Parameter(const webrtc::SdpAudioFormat& format, const char* name) {
  const auto found = format.parameters.find(name);
  return found != format.parameters.end() ? rtc::StringToNumber<int>(found->second) : absl::nullopt;
}

}  // namespace

absl::optional<VoiceOpusEncoder::Config> VoiceOpusEncoder::SdpToConfig(const webrtc::SdpAudioFormat& format) {
  auto config = webrtc::AudioEncoderOpus::SdpToConfig(format);
  if (!config) return config;
  config->sample_rate_hz = Parameter(format, "x-rate").value_or(config->sample_rate_hz);
  config->complexity = Parameter(format, "x-complexity").value_or(config->complexity);
  config->low_rate_complexity = config->complexity;
  return config->IsOk() ? config : absl::nullopt;
}

std::unique_ptr<webrtc::AudioEncoder> VoiceOpusEncoder::MakeAudioEncoder(
    const Config& config, int payload_type, absl::optional<webrtc::AudioCodecPairId> codec_pair_id,
    const webrtc::FieldTrialsView* field_trials) {
  auto encoder = AudioEncoderOpus::MakeAudioEncoder(config, payload_type, codec_pair_id, field_trials);
  if (!config.fec_enabled) return encoder;
  return std::make_unique<PromptLossEncoder>(std::move(encoder));
}

absl::optional<WidebandOpusDecoder::Config> WidebandOpusDecoder::SdpToConfig(const webrtc::SdpAudioFormat& format) {
  auto config = webrtc::AudioDecoderOpus::SdpToConfig(format);
  if (config) config->sample_rate_hz = 16000;
  return config;
}

}  // namespace telnyx
