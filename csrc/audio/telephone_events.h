// DTMF keys out of RTP packets: telephone-events, RFC 4733.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "audio/dtmf_detector.h"
#include "audio/spsc_ring.h"

namespace telnyx {

// The network thread inserts packets; the clock takes the keys. A key is over with its end packet, of which there are
// three for fear of loss, with the first packet of another, or when none has come for a while.
class TelephoneEvents {
 public:
  // Network: one packet with a telephone-event. `clock_rate` is that of its RTP timestamps. What is no key is ignored.
  void Insert(uint32_t timestamp, int clock_rate, const uint8_t* payload, size_t size) {
    if (size < 4 || payload[0] >= kKeyCount || clock_rate <= 0) return;
    // A full ring means that nobody pulls audio; the next packet of the event tells the same.
    packets_.Push({timestamp, static_cast<uint32_t>(clock_rate), static_cast<uint16_t>(payload[2] << 8 | payload[3]),
                   payload[0], (payload[1] & kEndBit) != 0});
  }

  // Clock, every 10 ms: hands each key that is over to `deliver(KeyPress)`; returns whether a packet had come.
  template <typename Deliver>
  bool Drain(Deliver deliver) {
    bool any = false;
    ++idle_ticks_;
    while (const auto packet = packets_.Pop()) {
      any = true;
      Take(*packet, deliver);
    }
    if (current_ && idle_ticks_ > kLostAfter) deliver(Finish());
    return any;
  }

 private:
  static constexpr char kKeys[] = "0123456789*#ABCD";  // RFC 4733, table 3
  static constexpr uint8_t kKeyCount = sizeof kKeys - 1;
  static constexpr uint8_t kEndBit = 0x80;
  static constexpr uint32_t kSegment = 0xffff;  // a longer event goes on under a new timestamp (RFC 4733, 2.5.1.3)
  static constexpr int kLostAfter = 20;         // ticks of 10 ms; senders repeat every 20 to 50 ms

  struct Packet {
    uint32_t timestamp;
    uint32_t clock_rate;
    uint16_t duration;
    uint8_t event;
    bool end;
  };
  struct Current {
    Packet newest;
    uint64_t earlier;  // duration of segments before
  };

  template <typename Deliver>
  void Take(const Packet& packet, Deliver& deliver) {
    if (last_over_ == packet.timestamp) return;  // an end repeated, or a packet that came late
    idle_ticks_ = 0;
    uint64_t earlier = 0;
    if (current_ && current_->newest.timestamp == packet.timestamp) {
      if (packet.duration < current_->newest.duration) return;  // overtaken
      earlier = current_->earlier;
    } else if (current_ && Continues(packet, current_->newest)) {
      earlier = current_->earlier + kSegment;
    } else if (current_) {
      deliver(Finish());
    }
    current_ = Current{packet, earlier};
    if (packet.end) deliver(Finish());
  }

  static bool Continues(const Packet& packet, const Packet& before) {
    return packet.event == before.event && packet.timestamp == before.timestamp + kSegment;
  }

  KeyPress Finish() {
    const Packet& packet = current_->newest;
    const KeyPress press{kKeys[packet.event],
                         static_cast<uint32_t>((current_->earlier + packet.duration) * 1000 / packet.clock_rate)};
    last_over_ = packet.timestamp;
    current_.reset();
    return press;
  }

  static constexpr size_t kMaxPackets = 64;

  SpscRing<Packet, kMaxPackets> packets_;
  // Of the clock.
  std::optional<Current> current_;
  std::optional<uint32_t> last_over_;
  int idle_ticks_ = 0;
};

}  // namespace telnyx
