// Opus as a call wants it, not as the factory would have it for all calls.

#pragma once

#include <memory>
#include <vector>

#include "api/audio_codecs/audio_encoder.h"
#include "api/audio_codecs/audio_format.h"
#include "api/audio_codecs/opus/audio_encoder_opus.h"

namespace telnyx {

// libwebrtc's Opus encoder with two more parameters. An encoder is made from the far end's format parameters and
// belongs to a factory that all calls share; so what one call wants is written into the description that it applies:
//  - x-rate: 16000 encodes at 16 kHz. Right when the application's audio has no more, at half the cost;
//  - x-complexity: 0 to 10, how much the encoder may think.
// Neither ever comes from the network: descriptions from outside are rebuilt without them.
struct VoiceOpusEncoder {
  using Config = webrtc::AudioEncoderOpusConfig;

  static absl::optional<Config> SdpToConfig(const webrtc::SdpAudioFormat& format);
  static void AppendSupportedEncoders(std::vector<webrtc::AudioCodecSpec>* specs);
  static webrtc::AudioCodecInfo QueryAudioEncoder(const Config& config);
  static std::unique_ptr<webrtc::AudioEncoder> MakeAudioEncoder(
      const Config& config, int payload_type, absl::optional<webrtc::AudioCodecPairId> codec_pair_id = absl::nullopt,
      const webrtc::FieldTrialsView* field_trials = nullptr);
};

}  // namespace telnyx
