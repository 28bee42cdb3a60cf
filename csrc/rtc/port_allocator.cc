#include "rtc/port_allocator.h"

#include <errno.h>
#include <netdb.h>

#include <algorithm>

#include "api/task_queue/pending_task_safety_flag.h"
#include "api/task_queue/task_queue_base.h"
#include "rtc/build_contract.h"
#include "rtc/peer.h"
#include "rtc/process_limits.h"
#include "rtc_base/async_resolver_interface.h"

namespace telnyx {

namespace {

// Its owner destroys it by calling Destroy, as libwebrtc's own.
class NoAddress final : public rtc::AsyncResolverInterface {
 public:
  void Start(const rtc::SocketAddress&) override { Fail(); }
  void Start(const rtc::SocketAddress&, int) override { Fail(); }
  bool GetResolvedAddress(int, rtc::SocketAddress*) const override { return false; }
  int GetError() const override { return EAI_FAIL; }
  void Destroy(bool) override { delete this; }

 private:
  // Not at once: who has asked does not expect an answer before it has its resolver.
  void Fail() {
    webrtc::TaskQueueBase::Current()->PostTask(webrtc::SafeTask(safety_.flag(), [this] { SignalDone(this); }));
  }

  webrtc::ScopedTaskSafety safety_;
};

}  // namespace

rtc::AsyncPacketSocket* PeerSocketFactory::CreateUdpSocket(const rtc::SocketAddress& address, uint16_t min_port,
                                                           uint16_t max_port) {
  errno = 0;
  rtc::AsyncPacketSocket* const socket = inner_->CreateUdpSocket(address, min_port, max_port);
  if (socket == nullptr) trouble_->store(errno, std::memory_order_relaxed);
  return socket;
}

rtc::AsyncListenSocket* PeerSocketFactory::CreateServerTcpSocket(const rtc::SocketAddress& address, uint16_t min_port,
                                                                 uint16_t max_port, int options) {
  return inner_->CreateServerTcpSocket(address, min_port, max_port, options);
}

rtc::AsyncPacketSocket* PeerSocketFactory::CreateClientTcpSocket(const rtc::SocketAddress& local,
                                                                 const rtc::SocketAddress& remote,
                                                                 const rtc::ProxyInfo& proxy,
                                                                 const std::string& user_agent,
                                                                 const rtc::PacketSocketTcpOptions& options) {
  return inner_->CreateClientTcpSocket(local, remote, proxy, user_agent, options);
}

rtc::AsyncResolverInterface* PeerSocketFactory::CreateAsyncResolver() { return inner_->CreateAsyncResolver(); }

std::unique_ptr<webrtc::AsyncDnsResolverInterface> PeerSocketFactory::CreateAsyncDnsResolver() {
  if (!MayHaveThreads(1)) return std::make_unique<webrtc::WrappingAsyncDnsResolver>(new NoAddress);
  return inner_->CreateAsyncDnsResolver();
}

void ChosenNetworks::StartUpdating() {
  if (!std::exchange(follows_, true)) all_->SignalNetworksChanged.connect(this, &ChosenNetworks::OnNetworksChanged);
  all_->StartUpdating();
}

std::vector<const rtc::Network*> ChosenNetworks::GetNetworks() const {
  std::vector<const rtc::Network*> networks = all_->GetNetworks();
  std::erase_if(networks, [this](const rtc::Network* network) { return !IsChosen(network); });
  return networks;
}

std::vector<const rtc::Network*> ChosenNetworks::GetAnyAddressNetworks() {
  if (!interfaces_.empty()) return {};
  std::vector<const rtc::Network*> networks = all_->GetAnyAddressNetworks();
  std::erase_if(networks, [this](const rtc::Network* network) { return !IsChosen(network); });
  return networks;
}

bool ChosenNetworks::GetDefaultLocalAddress(int family, rtc::IPAddress* address) const {
  return (ipv6_ || family != AF_INET6) && all_->GetDefaultLocalAddress(family, address);
}

bool ChosenNetworks::IsChosen(const rtc::Network* network) const {
  if (!ipv6_ && network->prefix().family() == AF_INET6) return false;
  return interfaces_.empty() || std::ranges::find(interfaces_, network->name()) != interfaces_.end();
}

PortAllocator::PortAllocator(PortAllocatorParts parts, const PeerOptions& options)
    : PortAllocatorParts(std::move(parts)),
      BasicPortAllocator(networks.get(), sockets.get()),
      ignored_networks_(options.loopback ? 0 : rtc::kDefaultNetworkIgnoreMask) {
  if (options.first_port != 0) SetPortRange(options.first_port, options.last_port);
}

rtc::AsyncResolverInterface* NoNames::Create() { return new NoAddress; }

}  // namespace telnyx
