// An audio decoder around another one.

#pragma once

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "api/audio_codecs/audio_decoder.h"

namespace telnyx {

// Whoever derives from it overrides what is to be different.
class ForwardingDecoder : public webrtc::AudioDecoder {
 public:
  explicit ForwardingDecoder(std::unique_ptr<webrtc::AudioDecoder> inner) : inner_(std::move(inner)) {}

  std::vector<ParseResult> ParsePayload(rtc::Buffer&& payload, uint32_t timestamp) override {
    return inner_->ParsePayload(std::move(payload), timestamp);
  }
  bool HasDecodePlc() const override { return inner_->HasDecodePlc(); }
  size_t DecodePlc(size_t frames, int16_t* decoded) override { return inner_->DecodePlc(frames, decoded); }
  void GeneratePlc(size_t wanted, rtc::BufferT<int16_t>* concealment) override {
    inner_->GeneratePlc(wanted, concealment);
  }
  void Reset() override { inner_->Reset(); }
  int ErrorCode() override { return inner_->ErrorCode(); }
  int PacketDuration(const uint8_t* encoded, size_t size) const override {
    return inner_->PacketDuration(encoded, size);
  }
  int PacketDurationRedundant(const uint8_t* encoded, size_t size) const override {
    return inner_->PacketDurationRedundant(encoded, size);
  }
  bool PacketHasFec(const uint8_t* encoded, size_t size) const override { return inner_->PacketHasFec(encoded, size); }
  int SampleRateHz() const override { return inner_->SampleRateHz(); }
  size_t Channels() const override { return inner_->Channels(); }

 protected:
  webrtc::AudioDecoder& inner() const { return *inner_; }

  int DecodeInternal(const uint8_t* encoded, size_t size, int rate, int16_t* decoded, SpeechType* type) override {
    return inner_->Decode(encoded, size, rate, std::numeric_limits<size_t>::max(), decoded, type);
  }
  int DecodeRedundantInternal(const uint8_t* encoded, size_t size, int rate, int16_t* decoded,
                              SpeechType* type) override {
    return inner_->DecodeRedundant(encoded, size, rate, std::numeric_limits<size_t>::max(), decoded, type);
  }

 private:
  const std::unique_ptr<webrtc::AudioDecoder> inner_;
};

}  // namespace telnyx
