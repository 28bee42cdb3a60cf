#include "rtc/voice_opus.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "audio/rates.h"
#include "rtc/build_contract.h"
#include "rtc/forwarding_decoder.h"
#include "rtc/forwarding_encoder.h"
#include "rtc/silence_decoder.h"
#include "rtc/silence_encoder.h"
#include "rtc_base/string_to_number.h"
#include "rtc_base/time_utils.h"

namespace telnyx {

namespace {

constexpr float kExpectedLoss = 0.1f;
constexpr float kForgetMs = 2000;         // time constant with which losses are forgotten
constexpr float kNegligibleLoss = 0.01f;  // for which no FEC is sent
constexpr float kGreatestLoss = 0.1f;     // from here on, FEC would only grow, at the cost of the speech beside it

constexpr int kFullbandBitrate = 44000;  // in 32 kbit/s, what is above 8 kHz takes too much from what is below
constexpr int kOwnMark = 1;              // by which our own choice differs from a limit that somebody sets in a call
constexpr int FecBitrate(int bitrate) { return bitrate + bitrate / 2; }

// Sends Opus' in-band FEC as soon as the remote party reports losses, and stops soon when it does not any more;
// libwebrtc's encoder smooths reports over ten seconds. What it is told here is what makes its average that which it
// should act on. And FEC gets bits of its own: Opus would take them from speech, which then suffers more from that than
// from one packet in twenty lost.
class FecEncoder final : public ForwardingEncoder {
 public:
  FecEncoder(std::unique_ptr<webrtc::AudioEncoder> opus, const VoiceOpusConfig& config)
      : ForwardingEncoder(std::move(opus)), bitrate_(*config.bitrate_bps), own_bitrate_(config.limited ? 0 : bitrate_) {
    inner().OnReceivedUplinkPacketLossFraction(kExpectedLoss);  // the first one is the average
    ChooseBitrate();
  }

  void OnReceivedUplinkPacketLossFraction(float reported) override {
    // libwebrtc weighs reports with the packets since the one before: the first is always 0.
    if (!std::exchange(first_reported_, true)) return;
    const int64_t now_ms = rtc::TimeMillis();
    const auto elapsed = static_cast<float>(now_ms - last_report_ms_);
    if (elapsed <= 0) return;
    const float average = Counted();
    loss_ = std::max(reported, loss_ * std::exp(-elapsed / kForgetMs));
    const float kept = std::pow(kSmoothing, elapsed);
    inner().OnReceivedUplinkPacketLossFraction((Counted() - kept * average) / (1 - kept));
    last_report_ms_ = now_ms;
    ChooseBitrate();
  }

  void OnReceivedTargetAudioBitrate(int bps) override {
    bitrate_ = bps;
    ChooseBitrate();
  }

 private:
  static constexpr float kSmoothing = 0.9999f;  // of libwebrtc's average, a millisecond (audio_encoder_opus.cc)

  // What FEC is sent for, and what libwebrtc's average was made to be.
  float Counted() const { return loss_ < kNegligibleLoss ? 0 : std::min(loss_, kGreatestLoss); }

  // A limit that somebody set is kept.
  void ChooseBitrate() {
    const bool exceed = Counted() > 0 && bitrate_ == own_bitrate_;
    inner().OnReceivedTargetAudioBitrate(exceed ? FecBitrate(bitrate_) : bitrate_);
  }

  int bitrate_;            // without FEC
  const int own_bitrate_;  // which nobody asked for; or 0
  bool first_reported_ = false;
  float loss_ = kExpectedLoss;
  int64_t last_report_ms_ = rtc::TimeMillis();
};

// Conceals what is missing as Opus does, from the state of its decoder, and goes on from there. NetEq's own way repeats
// pitch periods and fits them together with what comes next, which moves that by some milliseconds each time.
class ConcealingDecoder final : public ForwardingDecoder {
 public:
  using ForwardingDecoder::ForwardingDecoder;

  void GeneratePlc(size_t wanted, rtc::BufferT<int16_t>* concealment) override {
    const size_t samples = wanted * Channels();
    while (concealment->size() < samples) {
      const size_t generated = concealment->AppendData(kConcealedSamples * Channels(), [this](auto room) {
        SpeechType type;
        const int rate = SampleRateHz();
        return static_cast<size_t>(
            std::max(inner().Decode(nullptr, 0, rate, room.size() * sizeof(int16_t), room.data(), &type), 0));
      });
      if (generated == 0) return concealment->Clear();  // NetEq does it then
    }
  }

 private:
  static constexpr size_t kConcealedSamples = kMaxFrame;  // what libwebrtc conceals at once
};

absl::optional<int> Parameter(const webrtc::SdpAudioFormat& format, const char* name) {
  const auto found = format.parameters.find(name);
  return found != format.parameters.end() ? rtc::StringToNumber<int>(found->second) : absl::nullopt;
}

}  // namespace

absl::optional<VoiceOpusConfig> VoiceOpusEncoder::SdpToConfig(const webrtc::SdpAudioFormat& format) {
  const auto asked = webrtc::AudioEncoderOpus::SdpToConfig(format);
  if (!asked) return absl::nullopt;
  VoiceOpusConfig config{*asked};
  config.sample_rate_hz = Parameter(format, "x-rate").value_or(config.sample_rate_hz);
  config.complexity = Parameter(format, "x-complexity").value_or(config.complexity);
  config.low_rate_complexity = config.complexity;
  config.limited = format.parameters.contains("maxaveragebitrate");
  const bool fullband = std::min(config.sample_rate_hz, config.max_playback_rate_hz) > 24000;
  if (!config.limited) config.bitrate_bps = kOwnMark + (fullband ? kFullbandBitrate : *config.bitrate_bps);
  return config.IsOk() ? absl::make_optional(config) : absl::nullopt;
}

std::unique_ptr<webrtc::AudioEncoder> VoiceOpusEncoder::MakeAudioEncoder(
    const Config& config, int payload_type, absl::optional<webrtc::AudioCodecPairId> codec_pair_id,
    const webrtc::FieldTrialsView* field_trials) {
  auto encoder = AudioEncoderOpus::MakeAudioEncoder(config, payload_type, codec_pair_id, field_trials);
  if (config.fec_enabled) encoder = std::make_unique<FecEncoder>(std::move(encoder), config);
  return std::make_unique<SilenceEncoder>(std::move(encoder));
}

std::unique_ptr<webrtc::AudioDecoder> VoiceOpusDecoder::MakeAudioDecoder(
    Config config, absl::optional<webrtc::AudioCodecPairId> codec_pair_id,
    const webrtc::FieldTrialsView* field_trials) {
  auto decoder = webrtc::AudioDecoderOpus::MakeAudioDecoder(config, codec_pair_id, field_trials);
  if (!decoder) return nullptr;
  return std::make_unique<SilenceDecoder>(std::make_unique<ConcealingDecoder>(std::move(decoder)));
}

absl::optional<WidebandOpusDecoder::Config> WidebandOpusDecoder::SdpToConfig(const webrtc::SdpAudioFormat& format) {
  auto config = VoiceOpusDecoder::SdpToConfig(format);
  if (config) config->sample_rate_hz = 16000;
  return config;
}

}  // namespace telnyx
