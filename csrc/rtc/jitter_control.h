// How far the jitter buffer lags behind the packets.

#pragma once

#include <memory>

#include "api/neteq/neteq_controller_factory.h"

namespace telnyx {

// libwebrtc's jitter buffer (NetEq) learns how much delay the network asks for, but then tolerates up to 20 ms more
// than that before it speeds playout up. A call that starts 15 ms late stays 15 ms late, for no one's benefit. This
// one goes on to within 10 ms: what it takes away is a pitch period at a time, at most ten times a second.
std::unique_ptr<webrtc::NetEqControllerFactory> CreateTightControllerFactory();

}  // namespace telnyx
