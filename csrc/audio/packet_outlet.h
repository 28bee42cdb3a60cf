// Where the packets of a jitter buffer are copied to.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "audio/audio_port.h"
#include "audio/packet_ring.h"

namespace telnyx {

// A jitter buffer does not know whose it is. The clock does when it pulls audio from it, and attaches the port then.
class PacketOutlet {
 public:
  // Clock: packets go to `port` from now on; to nobody, if it is null.
  void Attach(const std::shared_ptr<AudioPort>& port) {
    const std::lock_guard lock(mutex_);
    if (port_ != port) port_ = port;
  }

  // Network: one packet, of which `head` has all but its place in the call.
  void Insert(const PacketHead& head, const uint8_t* payload, size_t size) {
    const std::lock_guard lock(mutex_);
    if (port_) port_->PushPacket(head, payload, size);
  }

 private:
  std::mutex mutex_;  // between native threads only, and for microseconds
  std::shared_ptr<AudioPort> port_;
};

}  // namespace telnyx
