#include "rtc/silence_encoder.h"

#include <algorithm>

#include "audio/rates.h"
#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr std::array<int16_t, 2 * kMaxFrame> kZeros{};  // as many as a tick of Opus has, in stereo

bool IsSilent(rtc::ArrayView<const int16_t> audio) {
  return std::all_of(audio.begin(), audio.end(), [](int16_t sample) { return sample == 0; });
}

}  // namespace

void SilenceEncoder::Reset() {
  ForwardingEncoder::Reset();
  silent_ = held_ = 0;
  settled_ = false;
}

SilenceEncoder::EncodedInfo SilenceEncoder::EncodeImpl(uint32_t timestamp, rtc::ArrayView<const int16_t> audio,
                                                       rtc::Buffer* encoded) {
  if (!IsSilent(audio)) {
    const auto zeros = rtc::MakeArrayView(kZeros.data(), audio.size());
    const auto ticks = static_cast<uint32_t>(held_);
    for (uint32_t i = 0; i < ticks; ++i)
      EncodeNow(first_held_ + i * static_cast<uint32_t>(audio.size()), zeros, encoded);
    held_ = silent_ = 0;
    settled_ = false;
    return EncodeNow(timestamp, audio, encoded);
  }
  if (!settled_) {
    ++silent_;
    return EncodeNow(timestamp, audio, encoded);
  }
  if (held_++ == 0) first_held_ = timestamp;
  if (held_ < static_cast<int>(Num10MsFramesInNextPacket())) return {};
  return Repeat(encoded);
}

SilenceEncoder::EncodedInfo SilenceEncoder::EncodeNow(uint32_t timestamp, rtc::ArrayView<const int16_t> audio,
                                                      rtc::Buffer* encoded) {
  const size_t before = encoded->size();
  EncodedInfo info = inner().Encode(timestamp, audio, encoded);
  if (info.encoded_bytes > 0 && silent_ >= kSettled) Keep(info, encoded->data() + before);
  return info;
}

void SilenceEncoder::Keep(const EncodedInfo& info, const uint8_t* bytes) {
  if (info.encoded_bytes > kLongest) return;
  packet_.info = info;
  std::copy_n(bytes, info.encoded_bytes, packet_.bytes.begin());
  settled_ = true;
  repeated_ = 0;
}

SilenceEncoder::EncodedInfo SilenceEncoder::Repeat(rtc::Buffer* encoded) {
  EncodedInfo info;
  static_cast<EncodedInfoLeaf&>(info) = packet_.info;
  info.encoded_timestamp = first_held_;
  ++repeated_;
  if (GetDtx()) {
    const int period = kDtxPeriod / held_, place = repeated_ % period;
    info.encoded_bytes = place == 0 ? packet_.info.encoded_bytes : place == 1 ? 1 : 0;
    info.speech = false;
  }
  held_ = 0;
  encoded->AppendData(packet_.bytes.data(), info.encoded_bytes);
  return info;
}

}  // namespace telnyx
