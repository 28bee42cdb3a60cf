// An audio encoder around another one.

#pragma once

#include <memory>
#include <utility>

#include "api/audio_codecs/audio_encoder.h"

namespace telnyx {

// Whoever derives from it overrides what is to be different.
class ForwardingEncoder : public webrtc::AudioEncoder {
 public:
  explicit ForwardingEncoder(std::unique_ptr<webrtc::AudioEncoder> inner) : inner_(std::move(inner)) {}

  int SampleRateHz() const override { return inner_->SampleRateHz(); }
  size_t NumChannels() const override { return inner_->NumChannels(); }
  int RtpTimestampRateHz() const override { return inner_->RtpTimestampRateHz(); }
  size_t Num10MsFramesInNextPacket() const override { return inner_->Num10MsFramesInNextPacket(); }
  size_t Max10MsFramesInAPacket() const override { return inner_->Max10MsFramesInAPacket(); }
  int GetTargetBitrate() const override { return inner_->GetTargetBitrate(); }
  void Reset() override { inner_->Reset(); }
  bool SetFec(bool enable) override { return inner_->SetFec(enable); }
  bool SetDtx(bool enable) override { return inner_->SetDtx(enable); }
  bool GetDtx() const override { return inner_->GetDtx(); }
  bool SetApplication(Application application) override { return inner_->SetApplication(application); }
  void SetMaxPlaybackRate(int frequency_hz) override { inner_->SetMaxPlaybackRate(frequency_hz); }
  void OnReceivedUplinkPacketLossFraction(float loss) override { inner_->OnReceivedUplinkPacketLossFraction(loss); }
  void OnReceivedTargetAudioBitrate(int bps) override { inner_->OnReceivedTargetAudioBitrate(bps); }
  void OnReceivedUplinkBandwidth(int bps, absl::optional<int64_t> period_ms) override {
    inner_->OnReceivedUplinkBandwidth(bps, period_ms);
  }
  void OnReceivedUplinkAllocation(webrtc::BitrateAllocationUpdate update) override {
    inner_->OnReceivedUplinkAllocation(update);
  }
  void OnReceivedRtt(int rtt_ms) override { inner_->OnReceivedRtt(rtt_ms); }
  void OnReceivedOverhead(size_t bytes_per_packet) override { inner_->OnReceivedOverhead(bytes_per_packet); }
  void SetReceiverFrameLengthRange(int min_ms, int max_ms) override {
    inner_->SetReceiverFrameLengthRange(min_ms, max_ms);
  }
  webrtc::ANAStats GetANAStats() const override { return inner_->GetANAStats(); }
  absl::optional<std::pair<webrtc::TimeDelta, webrtc::TimeDelta>> GetFrameLengthRange() const override {
    return inner_->GetFrameLengthRange();
  }

 protected:
  webrtc::AudioEncoder& inner() const { return *inner_; }

  EncodedInfo EncodeImpl(uint32_t timestamp, rtc::ArrayView<const int16_t> audio, rtc::Buffer* encoded) override {
    return inner_->Encode(timestamp, audio, encoded);
  }

 private:
  const std::unique_ptr<webrtc::AudioEncoder> inner_;
};

}  // namespace telnyx
