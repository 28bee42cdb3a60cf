// The jitter buffer (NetEq) of our calls.

#pragma once

#include <memory>

#include "api/audio_codecs/audio_decoder_factory.h"
#include "api/neteq/neteq_factory.h"

namespace telnyx {

class PullMixer;

// Makes jitter buffers that lag less (see jitter_control.h) and tell of DTMF keys: libwebrtc plays a tone for a
// telephone-event, but tells nobody which. Each hands its TelephoneEvents to `mixer` whenever it is pulled. They decode
// with `decoders`, whatever libwebrtc would have used.
std::unique_ptr<webrtc::NetEqFactory> CreateNetEqFactory(PullMixer* mixer,
                                                         rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders);

}  // namespace telnyx
