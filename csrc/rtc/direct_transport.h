// How RTP packets get from the encoders of all calls to their sockets.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "call/call_config.h"
#include "call/rtp_transport_controller_send_interface.h"
#include "modules/rtp_rtcp/source/rtp_packet_to_send.h"
#include "rtc_base/thread.h"

namespace telnyx {

class DirectTransport;

// Takes the packets of all calls from the encoders' threads to the network thread. The encoders work after the same
// tick of the media clock, so one wake-up of the network thread sends what many of them made. Beyond kMaxWaiting
// packets, which is 160 ms of a thousand calls, the network thread is stuck: new packets are counted and dropped.
class Outbox {
 public:
  static constexpr size_t kMaxWaiting = 8192;

  explicit Outbox(rtc::Thread* network) : network_(network) {
    waiting_.reserve(kMaxWaiting);
    sending_.reserve(kMaxWaiting);
  }

  // Any thread.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Any thread.
  void Post(DirectTransport* transport, std::vector<std::unique_ptr<webrtc::RtpPacketToSend>> packets);

  // Network thread: what is still to be sent for `transport` is dropped.
  void Forget(const DirectTransport* transport);

 private:
  using Entry = std::pair<DirectTransport*, std::unique_ptr<webrtc::RtpPacketToSend>>;

  void Send();

  rtc::Thread* const network_;
  std::atomic<uint64_t> dropped_{0};
  std::mutex mutex_;
  std::vector<Entry> waiting_;
  std::vector<Entry> sending_;  // of the network thread
};

// What a call sends its packets through, made on the network thread, which is the worker thread, too.
//
// libwebrtc sends through a pacer, beside which a congestion controller works out how much may be sent, every 25 ms. A
// voice call has nothing to pace: a packet every 20 ms, at a rate that its options fix, and no feedback from which a
// controller could learn anything, since Telnyx's servers offer none. What was sent is not kept for retransmissions
// either; those would need NACKs, which are not negotiated.
std::unique_ptr<webrtc::RtpTransportControllerSendInterface> CreateDirectTransport(Outbox* outbox,
                                                                                   const webrtc::CallConfig& config);

}  // namespace telnyx
