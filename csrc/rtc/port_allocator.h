// How a peer looks for its candidates.

#pragma once

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "p2p/client/basic_port_allocator.h"

namespace telnyx {

// libwebrtc's allocator, with two decisions that its peer connection would take for us:
//  - whether loopback addresses count is a matter of each call, not of the whole factory;
//  - UDP, relay and TCP are tried at once. The pause between them spares networks with hundreds of candidates, but
//    costs every call 100 ms before its candidates are complete.
class PortAllocator : public cricket::BasicPortAllocator {
 public:
  PortAllocator(rtc::NetworkManager* networks, rtc::PacketSocketFactory* sockets, bool loopback)
      : BasicPortAllocator(networks, sockets), ignored_networks_(loopback ? 0 : rtc::kDefaultNetworkIgnoreMask) {}
  // With sockets of its own.
  PortAllocator(rtc::NetworkManager* networks, std::unique_ptr<rtc::PacketSocketFactory> sockets, bool loopback)
      : PortAllocator(networks, sockets.get(), loopback) {
    own_sockets_ = std::move(sockets);
  }

  void SetNetworkIgnoreMask(int) override { BasicPortAllocator::SetNetworkIgnoreMask(ignored_networks_); }

  cricket::PortAllocatorSession* CreateSessionInternal(absl::string_view content_name, int component,
                                                       absl::string_view ice_ufrag,
                                                       absl::string_view ice_pwd) override {
    set_step_delay(0);
    return BasicPortAllocator::CreateSessionInternal(content_name, component, ice_ufrag, ice_pwd);
  }

 private:
  const int ignored_networks_;
  std::unique_ptr<rtc::PacketSocketFactory> own_sockets_;
};

}  // namespace telnyx
