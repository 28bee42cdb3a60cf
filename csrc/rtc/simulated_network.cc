#include "rtc/simulated_network.h"

#include <errno.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "api/task_queue/pending_task_safety_flag.h"
#include "api/task_queue/task_queue_base.h"
#include "api/units/time_delta.h"
#include "rtc/build_contract.h"
#include "rtc_base/async_udp_socket.h"
#include "rtc_base/time_utils.h"

namespace telnyx {

namespace {

constexpr size_t kMaxInFlight = 4096;      // packets of one socket and direction; what comes beyond is lost
constexpr int64_t kTimerPrecision = 1000;  // libwebrtc's threads count milliseconds

// Packets on their way, in the order in which they arrive. Of the network thread.
class InFlight {
 public:
  struct Packet {
    std::vector<char> data;
    rtc::SocketAddress address;
    rtc::PacketOptions options;
  };

  InFlight(SimulatedLink* link, std::function<void(Packet&)> arrive) : link_(link), arrive_(std::move(arrive)) {}

  void Send(Packet packet) {
    const int64_t now = rtc::TimeMicros();
    const auto fate = link_->Offer(now, reinterpret_cast<const uint8_t*>(packet.data.data()), packet.data.size());
    // On a link that does nothing there is no timer to wait for.
    if (fate.copies == 1 && fate.due[0] <= now && packets_.empty()) return arrive_(packet);
    for (int copy = 0; copy < fate.copies && packets_.size() < kMaxInFlight; ++copy) {
      packets_.emplace(fate.due[copy], packet);  // equal keys keep their order
      webrtc::TaskQueueBase::Current()->PostDelayedTask(
          webrtc::SafeTask(safety_.flag(), [this] { Deliver(); }),
          webrtc::TimeDelta::Micros(std::max<int64_t>(fate.due[copy] - now, 0)));
    }
  }

 private:
  void Deliver() {
    const int64_t now = rtc::TimeMicros();
    const auto alive = safety_.flag();
    while (alive->alive() && !packets_.empty() && packets_.begin()->first < now + kTimerPrecision) {
      auto node = packets_.extract(packets_.begin());
      arrive_(node.mapped());  // may be the end of the socket, and of this
    }
  }

  SimulatedLink* const link_;
  const std::function<void(Packet&)> arrive_;
  std::multimap<int64_t, Packet> packets_;
  webrtc::ScopedTaskSafety safety_;
};

class SimulatedSocket : public rtc::AsyncPacketSocket {
 public:
  SimulatedSocket(std::unique_ptr<rtc::AsyncPacketSocket> real, rtc::SocketFactory* sockets,
                  std::shared_ptr<SimulatedNetwork> network)
      : sockets_(sockets),
        network_(std::move(network)),
        address_(real->GetLocalAddress()),
        binding_(network_->bindings.load(std::memory_order_relaxed)),
        sending_(network_->sending.get(), [this](InFlight::Packet& packet) { Leave(packet); }),
        receiving_(network_->receiving.get(), [this](InFlight::Packet& packet) { Arrive(packet); }) {
    Use(std::move(real));
  }

  rtc::SocketAddress GetLocalAddress() const override { return address_; }
  rtc::SocketAddress GetRemoteAddress() const override { return real_->GetRemoteAddress(); }
  int Send(const void*, size_t, const rtc::PacketOptions&) override {
    SetError(ENOTCONN);
    return -1;
  }
  int SendTo(const void* data, size_t size, const rtc::SocketAddress& address,
             const rtc::PacketOptions& options) override {
    Rebind();
    const char* const bytes = static_cast<const char*>(data);
    sending_.Send({{bytes, bytes + size}, address, options});
    // To the sender a packet has left when the network has it, whatever becomes of it there.
    rtc::SentPacket sent(options.packet_id, rtc::TimeMillis(), options.info_signaled_after_sent);
    rtc::CopySocketInformationToPacketInfo(size, *this, /*is_connectionless=*/true, &sent.info);
    SignalSentPacket(this, sent);
    return static_cast<int>(size);
  }
  int Close() override { return real_->Close(); }
  State GetState() const override { return real_->GetState(); }
  int GetOption(rtc::Socket::Option option, int* value) override { return real_->GetOption(option, value); }
  int SetOption(rtc::Socket::Option option, int value) override { return real_->SetOption(option, value); }
  int GetError() const override { return real_->GetError(); }
  void SetError(int error) override { real_->SetError(error); }

 private:
  void Use(std::unique_ptr<rtc::AsyncPacketSocket> real) {
    if (real_) {  // it may be its own callback that has led here
      real_->SignalReadPacket.disconnect(this);
      real_->SignalReadyToSend.disconnect(this);
      webrtc::TaskQueueBase::Current()->PostTask([old = std::move(real_)] {});
    }
    real_ = std::move(real);
    real_->SignalReadPacket.connect(this, &SimulatedSocket::OnReadPacket);
    real_->SignalReadyToSend.connect(this, &SimulatedSocket::OnReadyToSend);
  }

  void Rebind() {
    const uint64_t binding = network_->bindings.load(std::memory_order_relaxed);
    if (std::exchange(binding_, binding) == binding) return;
    std::unique_ptr<rtc::AsyncPacketSocket> next(
        rtc::AsyncUDPSocket::Create(sockets_, rtc::SocketAddress(address_.ipaddr(), 0)));
    if (next) Use(std::move(next));
  }

  void OnReadPacket(rtc::AsyncPacketSocket*, const char* data, size_t size, const rtc::SocketAddress& from,
                    const int64_t&) {
    receiving_.Send({{data, data + size}, from, {}});
  }

  void OnReadyToSend(rtc::AsyncPacketSocket*) { SignalReadyToSend(this); }

  void Leave(InFlight::Packet& packet) {
    real_->SendTo(packet.data.data(), packet.data.size(), packet.address, packet.options);
  }

  void Arrive(InFlight::Packet& packet) {
    SignalReadPacket(this, packet.data.data(), packet.data.size(), packet.address, rtc::TimeMicros());
  }

  rtc::SocketFactory* const sockets_;
  const std::shared_ptr<SimulatedNetwork> network_;
  const rtc::SocketAddress address_;  // the remote party never learns that of a later socket from us
  uint64_t binding_;
  std::unique_ptr<rtc::AsyncPacketSocket> real_;
  InFlight sending_, receiving_;
};

}  // namespace

rtc::AsyncPacketSocket* SimulatedSocketFactory::CreateUdpSocket(const rtc::SocketAddress& address, uint16_t min_port,
                                                                uint16_t max_port) {
  std::unique_ptr<rtc::AsyncPacketSocket> real(BasicPacketSocketFactory::CreateUdpSocket(address, min_port, max_port));
  if (!real) return nullptr;
  return new SimulatedSocket(std::move(real), sockets_, network_);
}

}  // namespace telnyx
