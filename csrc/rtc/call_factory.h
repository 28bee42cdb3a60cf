// How libwebrtc's part of a call is put together.

#pragma once

#include <memory>

#include "api/call/call_factory_interface.h"
#include "api/neteq/neteq_factory.h"

namespace telnyx {

class Outbox;
class PullMixer;

// libwebrtc makes a call from what all calls of a factory share. This gives each what is its own: a DirectTransport,
// and a jitter buffer that decodes no more bandwidth than its application wants.
class CallFactory : public webrtc::CallFactoryInterface {
 public:
  CallFactory(Outbox* outbox, PullMixer* mixer);
  ~CallFactory() override;

  // From the signaling thread, which waits while the calls of a peer connection are made: their application's rate.
  void set_sample_rate(int sample_rate) { sample_rate_ = sample_rate; }

  webrtc::Call* CreateCall(const webrtc::CallConfig& config) override;

 private:
  Outbox* const outbox_;
  const std::unique_ptr<webrtc::NetEqFactory> full_band_, wideband_;
  int sample_rate_ = 0;
};

}  // namespace telnyx
