// Opus as a call wants it, not as the factory would have it for all calls.

#pragma once

#include <memory>

#include "api/audio_codecs/audio_format.h"
#include "api/audio_codecs/opus/audio_decoder_opus.h"
#include "api/audio_codecs/opus/audio_encoder_opus.h"

namespace telnyx {

struct VoiceOpusConfig : webrtc::AudioEncoderOpusConfig {
  bool limited = false;  // whether the bitrate is what the application or the remote party wants, not ours to choose
};

// libwebrtc's Opus encoder with two more parameters. An encoder is made from the remote party's format parameters and
// belongs to a factory that all calls share; so what one call wants is written into the description that it applies:
//  - x-rate: 16000 encodes at 16 kHz. Right when the application's audio has no more, which costs less;
//  - x-complexity: 0 to 10, how much the encoder may think.
// Neither ever comes from the network: descriptions from outside are rebuilt without them.
struct VoiceOpusEncoder : webrtc::AudioEncoderOpus {
  using Config = VoiceOpusConfig;
  static absl::optional<Config> SdpToConfig(const webrtc::SdpAudioFormat& format);

  // With FEC, the one that is made begins with the expectation that some packets will be lost, and believes reports at
  // once: FEC is there when it is needed, and costs nothing a few seconds after it is not. While it is sent, the
  // bitrate is half as much again, if it is not limited.
  static std::unique_ptr<webrtc::AudioEncoder> MakeAudioEncoder(
      const Config& config, int payload_type, absl::optional<webrtc::AudioCodecPairId> codec_pair_id = absl::nullopt,
      const webrtc::FieldTrialsView* field_trials = nullptr);
};

// libwebrtc's Opus decoder, which conceals losses by itself.
struct VoiceOpusDecoder : webrtc::AudioDecoderOpus {
  static std::unique_ptr<webrtc::AudioDecoder> MakeAudioDecoder(
      Config config, absl::optional<webrtc::AudioCodecPairId> codec_pair_id = absl::nullopt,
      const webrtc::FieldTrialsView* field_trials = nullptr);
};

// The same at 16 kHz.
struct WidebandOpusDecoder : VoiceOpusDecoder {
  static absl::optional<Config> SdpToConfig(const webrtc::SdpAudioFormat& format);
};

}  // namespace telnyx
