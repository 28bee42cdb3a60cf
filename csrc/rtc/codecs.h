// The codecs of a call.

#pragma once

#include "api/audio_codecs/audio_decoder_factory.h"
#include "api/audio_codecs/audio_encoder_factory.h"

namespace telnyx {

// An application that wants no more than this rate gets nothing from audio above 8 kHz.
inline constexpr int kWidebandRate = 16000;

rtc::scoped_refptr<webrtc::AudioEncoderFactory> CreateEncoders();
rtc::scoped_refptr<webrtc::AudioDecoderFactory> CreateDecoders();
// Opus is decoded at 16 kHz. All that follows, jitter buffer included, then works on a third of the samples.
rtc::scoped_refptr<webrtc::AudioDecoderFactory> CreateWidebandDecoders();

}  // namespace telnyx
