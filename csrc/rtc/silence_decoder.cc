#include "rtc/silence_decoder.h"

#include <cstdlib>
#include <utility>

#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int kNothing = 1;  // amplitude, of Opus' dither

}  // namespace

SilenceDecoder::Packet SilenceDecoder::Packet::Of(const rtc::Buffer& payload) {
  Packet packet;
  if (payload.size() > kLongest) return packet;
  packet.size = payload.size();
  std::copy(payload.begin(), payload.end(), packet.bytes.begin());
  return packet;
}

// A frame of the decoder within, that is decoded only if it has to be.
class SilenceDecoder::Frame final : public EncodedAudioFrame {
 public:
  Frame(SilenceDecoder* decoder, std::unique_ptr<EncodedAudioFrame> frame, const Packet& packet)
      : decoder_(decoder), frame_(std::move(frame)), packet_(packet) {}

  size_t Duration() const override { return frame_->Duration(); }
  bool IsDtxPacket() const override { return frame_->IsDtxPacket(); }

  absl::optional<DecodeResult> Decode(rtc::ArrayView<int16_t> decoded) const override {
    if (packet_.size > 0 && packet_ == decoder_->last_) {
      const auto silence = decoded.subview(0, decoder_->silence_.num_decoded_samples);
      std::fill(silence.begin(), silence.end(), int16_t{0});
      return decoder_->silence_;
    }
    const auto result = frame_->Decode(decoded);
    decoder_->last_.size = 0;
    if (!result || packet_.size == 0) return result;
    const auto samples = decoded.subview(0, result->num_decoded_samples);
    const bool silent =
        std::all_of(samples.begin(), samples.end(), [](int16_t sample) { return std::abs(sample) <= kNothing; });
    if (silent) {
      decoder_->last_ = packet_;
      decoder_->silence_ = *result;
    }
    return result;
  }

 private:
  SilenceDecoder* const decoder_;
  const std::unique_ptr<EncodedAudioFrame> frame_;
  const Packet packet_;
};

std::vector<SilenceDecoder::ParseResult> SilenceDecoder::ParsePayload(rtc::Buffer&& payload, uint32_t timestamp) {
  const Packet packet = Packet::Of(payload);
  auto frames = ForwardingDecoder::ParsePayload(std::move(payload), timestamp);
  // A second frame is what FEC has of an earlier packet.
  for (ParseResult& result : frames)
    result.frame = std::make_unique<Frame>(this, std::move(result.frame), result.priority == 0 ? packet : Packet{});
  return frames;
}

void SilenceDecoder::GeneratePlc(size_t wanted, rtc::BufferT<int16_t>* concealment) {
  last_.size = 0;
  ForwardingDecoder::GeneratePlc(wanted, concealment);
}

void SilenceDecoder::Reset() {
  last_.size = 0;
  ForwardingDecoder::Reset();
}

}  // namespace telnyx
