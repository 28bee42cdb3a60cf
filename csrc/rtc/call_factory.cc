#include "rtc/call_factory.h"

#include "call/call.h"
#include "rtc/build_contract.h"
#include "rtc/codecs.h"
#include "rtc/direct_transport.h"
#include "rtc/neteq_factory.h"
#include "system_wrappers/include/clock.h"

namespace telnyx {

CallFactory::CallFactory(Outbox* outbox, PullMixer* mixer)
    : outbox_(outbox),
      full_band_(CreateNetEqFactory(mixer, CreateDecoders())),
      wideband_(CreateNetEqFactory(mixer, CreateWidebandDecoders())) {}

CallFactory::~CallFactory() = default;

webrtc::Call* CallFactory::CreateCall(const webrtc::CallConfig& config) {
  webrtc::CallConfig own = config;
  own.neteq_factory = sample_rate_ <= kWidebandRate ? wideband_.get() : full_band_.get();
  return webrtc::Call::Create(own, webrtc::Clock::GetRealTimeClock(), CreateDirectTransport(outbox_, own));
}

}  // namespace telnyx
