// Silence that costs nearly nothing to send.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "rtc/forwarding_encoder.h"

namespace telnyx {

// Once nothing but zeros has come for as long as an encoder remembers, all its packets say the same: nothing. From then
// on this one sends the last of them again and again, and leaves the encoder alone. The first sample that is not zero
// goes to the encoder, together with the zeros before it in the same packet.
//
// With DTX, which is nothing of the encoder's then either: every 0.4 s one packet of silence, a second one that says
// that the next are left out, and nothing until then; as Opus and libwebrtc do.
class SilenceEncoder final : public ForwardingEncoder {
 public:
  using ForwardingEncoder::ForwardingEncoder;

  void Reset() override;

 private:
  static constexpr size_t kLongest = 256;  // bytes of a packet; one of silence at 48 kHz and 60 ms has 152
  static constexpr int kSettled = 12;      // ticks: Opus' packets are even after 6, and its own DTX begins after 20
  static constexpr int kDtxPeriod = 40;    // ticks

  struct Packet {
    EncodedInfoLeaf info;
    std::array<uint8_t, kLongest> bytes;
  };

  EncodedInfo EncodeImpl(uint32_t timestamp, rtc::ArrayView<const int16_t> audio, rtc::Buffer* encoded) override;
  EncodedInfo EncodeNow(uint32_t timestamp, rtc::ArrayView<const int16_t> audio, rtc::Buffer* encoded);
  EncodedInfo Repeat(rtc::Buffer* encoded);
  void Keep(const EncodedInfo& info, const uint8_t* bytes);

  Packet packet_{};       // of silence, once it is settled
  int silent_ = 0;        // ticks that nothing but zeros was encoded
  bool settled_ = false;  // that was long enough
  int held_ = 0;          // ticks of a packet that the encoder was not told of
  uint32_t first_held_ = 0;
  int repeated_ = 0;  // packets, since settled
};

}  // namespace telnyx
