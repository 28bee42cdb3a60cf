// A bad network inside the process: it stands between a peer and its sockets.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "p2p/base/basic_packet_socket_factory.h"
#include "rtc/simulated_link.h"

namespace telnyx {

// What a peer's packets go through, both ways. Whoever tests makes it, and shares it with the peer.
struct SimulatedNetwork {
  SimulatedNetwork(std::shared_ptr<SimulatedLink> out, std::shared_ptr<SimulatedLink> in)
      : sending(std::move(out)), receiving(std::move(in)) {}

  // From the next packet on, packets leave from another port, and come in there only: a NAT has forgotten us.
  void Rebind() { bindings.fetch_add(1, std::memory_order_relaxed); }

  const std::shared_ptr<SimulatedLink> sending;
  const std::shared_ptr<SimulatedLink> receiving;
  std::atomic<uint64_t> bindings{0};
};

// Makes UDP sockets whose packets go through `network`; everything else is as from libwebrtc's own factory.
class SimulatedSocketFactory : public rtc::BasicPacketSocketFactory {
 public:
  SimulatedSocketFactory(rtc::SocketFactory* sockets, std::shared_ptr<SimulatedNetwork> network)
      : BasicPacketSocketFactory(sockets), sockets_(sockets), network_(std::move(network)) {}

  rtc::AsyncPacketSocket* CreateUdpSocket(const rtc::SocketAddress& address, uint16_t min_port,
                                          uint16_t max_port) override;

 private:
  rtc::SocketFactory* const sockets_;
  const std::shared_ptr<SimulatedNetwork> network_;
};

}  // namespace telnyx
