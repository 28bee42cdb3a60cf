// The jitter buffer (NetEq) of our calls.

#pragma once

#include <memory>

#include "api/neteq/neteq_factory.h"

namespace telnyx {

class PullMixer;

// Makes jitter buffers that lag less (see jitter_control.h) and tell of DTMF keys: libwebrtc plays a tone for a
// telephone-event, but tells nobody which. Each hands its TelephoneEvents to `mixer` whenever it is pulled.
std::unique_ptr<webrtc::NetEqFactory> CreateNetEqFactory(PullMixer* mixer);

}  // namespace telnyx
