// How a peer looks for its candidates.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "api/async_dns_resolver.h"
#include "api/async_resolver_factory.h"
#include "p2p/client/basic_port_allocator.h"
#include "rtc_base/network.h"

namespace telnyx {

struct PeerOptions;

// Why the last socket of a peer that could not be had could not: an errno, or 0.
using SocketTrouble = std::atomic<int>;

// Makes the sockets of one peer with `inner`, and remembers why one could not be made.
class PeerSocketFactory : public rtc::PacketSocketFactory {
 public:
  PeerSocketFactory(std::unique_ptr<rtc::PacketSocketFactory> inner, std::shared_ptr<SocketTrouble> trouble)
      : inner_(std::move(inner)), trouble_(std::move(trouble)) {}

  rtc::AsyncPacketSocket* CreateUdpSocket(const rtc::SocketAddress& address, uint16_t min_port,
                                          uint16_t max_port) override;
  rtc::AsyncListenSocket* CreateServerTcpSocket(const rtc::SocketAddress& address, uint16_t min_port, uint16_t max_port,
                                                int options) override;
  rtc::AsyncPacketSocket* CreateClientTcpSocket(const rtc::SocketAddress& local, const rtc::SocketAddress& remote,
                                                const rtc::ProxyInfo& proxy, const std::string& user_agent,
                                                const rtc::PacketSocketTcpOptions& options) override;
  rtc::AsyncResolverInterface* CreateAsyncResolver() override;

  // Finds the addresses of STUN and TURN servers. Without room for the thread that does it, it finds none.
  std::unique_ptr<webrtc::AsyncDnsResolverInterface> CreateAsyncDnsResolver() override;

 private:
  const std::unique_ptr<rtc::PacketSocketFactory> inner_;
  const std::shared_ptr<SocketTrouble> trouble_;
};

// Those of a machine's networks that a peer may use. Of the network thread.
class ChosenNetworks : public rtc::NetworkManager, public sigslot::has_slots<> {
 public:
  // `interfaces` by name; all if there are none.
  ChosenNetworks(rtc::NetworkManager* all, std::vector<std::string> interfaces, bool ipv6)
      : all_(all), interfaces_(std::move(interfaces)), ipv6_(ipv6) {}

  void StartUpdating() override;
  void StopUpdating() override { all_->StopUpdating(); }
  std::vector<const rtc::Network*> GetNetworks() const override;
  std::vector<const rtc::Network*> GetAnyAddressNetworks() override;
  EnumerationPermission enumeration_permission() const override { return all_->enumeration_permission(); }
  bool GetDefaultLocalAddress(int family, rtc::IPAddress* address) const override;
  webrtc::MdnsResponderInterface* GetMdnsResponder() const override { return all_->GetMdnsResponder(); }

 private:
  bool IsChosen(const rtc::Network* network) const;
  void OnNetworksChanged() { SignalNetworksChanged(); }

  rtc::NetworkManager* const all_;
  const std::vector<std::string> interfaces_;
  const bool ipv6_;
  bool follows_ = false;
};

// What an allocator uses until its very end.
struct PortAllocatorParts {
  std::unique_ptr<rtc::NetworkManager> networks;
  std::unique_ptr<rtc::PacketSocketFactory> sockets;
};

// libwebrtc's allocator, with two decisions that its peer connection would take for us:
//  - whether loopback addresses count is a matter of each call, not of the whole factory;
//  - UDP, relay and TCP are tried at once. The pause between them spares networks with hundreds of candidates, but
//    costs every call 100 ms before its candidates are complete.
// It uses the networks and ports that the options name.
class PortAllocator : private PortAllocatorParts, public cricket::BasicPortAllocator {
 public:
  PortAllocator(PortAllocatorParts parts, const PeerOptions& options);

  void SetNetworkIgnoreMask(int) override { BasicPortAllocator::SetNetworkIgnoreMask(ignored_networks_); }

  cricket::PortAllocatorSession* CreateSessionInternal(absl::string_view content_name, int component,
                                                       absl::string_view ice_ufrag,
                                                       absl::string_view ice_pwd) override {
    set_step_delay(0);
    return BasicPortAllocator::CreateSessionInternal(content_name, component, ice_ufrag, ice_pwd);
  }

 private:
  const int ignored_networks_;
};

// For candidates of the remote party: it finds no address for any name. A name in a candidate would make this machine
// ask whatever server the remote party wants it to ask.
class NoNames : public webrtc::AsyncResolverFactory {
 public:
  rtc::AsyncResolverInterface* Create() override;
};

}  // namespace telnyx
