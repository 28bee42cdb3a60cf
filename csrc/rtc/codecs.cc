#include "rtc/codecs.h"

#include "api/audio_codecs/audio_decoder_factory_template.h"
#include "api/audio_codecs/audio_encoder_factory_template.h"
#include "api/audio_codecs/g711/audio_decoder_g711.h"
#include "api/audio_codecs/g711/audio_encoder_g711.h"
#include "api/audio_codecs/g722/audio_decoder_g722.h"
#include "api/audio_codecs/g722/audio_encoder_g722.h"
#include "rtc/build_contract.h"
#include "rtc/voice_opus.h"

namespace telnyx {

rtc::scoped_refptr<webrtc::AudioEncoderFactory> CreateEncoders() {
  return webrtc::CreateAudioEncoderFactory<VoiceOpusEncoder, webrtc::AudioEncoderG722, webrtc::AudioEncoderG711>();
}

rtc::scoped_refptr<webrtc::AudioDecoderFactory> CreateDecoders() {
  return webrtc::CreateAudioDecoderFactory<VoiceOpusDecoder, webrtc::AudioDecoderG722, webrtc::AudioDecoderG711>();
}

rtc::scoped_refptr<webrtc::AudioDecoderFactory> CreateWidebandDecoders() {
  return webrtc::CreateAudioDecoderFactory<WidebandOpusDecoder, webrtc::AudioDecoderG722, webrtc::AudioDecoderG711>();
}

}  // namespace telnyx
