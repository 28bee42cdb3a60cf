#include "rtc/voice_opus.h"

#include "rtc/build_contract.h"
#include "rtc_base/string_to_number.h"

namespace telnyx {

namespace {

constexpr float kExpectedLoss = 0.1f;  // forgotten after five reports that there is none, 25 s

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
  if (config.fec_enabled) encoder->OnReceivedUplinkPacketLossFraction(kExpectedLoss);
  return encoder;
}

absl::optional<WidebandOpusDecoder::Config> WidebandOpusDecoder::SdpToConfig(const webrtc::SdpAudioFormat& format) {
  auto config = webrtc::AudioDecoderOpus::SdpToConfig(format);
  if (config) config->sample_rate_hz = 16000;
  return config;
}

}  // namespace telnyx
