// Silence that costs nearly nothing to hear.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rtc/forwarding_decoder.h"

namespace telnyx {

// A remote party that is silent sends the same short packet again and again, see SilenceEncoder. What was silence when
// it was decoded is silence when it comes once more: zeros, and the decoder is left alone.
class SilenceDecoder final : public ForwardingDecoder {
 public:
  using ForwardingDecoder::ForwardingDecoder;

  std::vector<ParseResult> ParsePayload(rtc::Buffer&& payload, uint32_t timestamp) override;
  void GeneratePlc(size_t wanted, rtc::BufferT<int16_t>* concealment) override;
  void Reset() override;

 private:
  // A packet, if it is short.
  struct Packet {
    static constexpr size_t kLongest = 64;

    size_t size = 0;  // 0: it was longer
    std::array<uint8_t, kLongest> bytes;

    static Packet Of(const rtc::Buffer& payload);
    bool operator==(const Packet& other) const {
      return size == other.size && std::equal(bytes.begin(), bytes.begin() + size, other.bytes.begin());
    }
  };
  class Frame;

  EncodedAudioFrame::DecodeResult silence_{};  // what the last packet was, if it was silence
  Packet last_;                                // that; of size 0 if it was not
};

}  // namespace telnyx
