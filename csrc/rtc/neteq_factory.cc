#include "rtc/neteq_factory.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "audio/telephone_events.h"
#include "modules/audio_coding/neteq/neteq_impl.h"
#include "rtc/build_contract.h"
#include "rtc/jitter_control.h"
#include "rtc/pull_mixer.h"

namespace telnyx {

namespace {

// Packets and codecs come from the network thread, the audio is pulled by the clock.
class ListeningNetEq : public webrtc::NetEqImpl {
 public:
  ListeningNetEq(const Config& config, Dependencies&& dependencies, PullMixer* mixer)
      : NetEqImpl(config, std::move(dependencies)), mixer_(mixer) {}

  int InsertPacket(const webrtc::RTPHeader& header, rtc::ArrayView<const uint8_t> payload) override {
    if (const int rate = event_rates_[header.payloadType % event_rates_.size()]; rate != 0)
      events_.Insert(header.timestamp, rate, payload.data(), payload.size());
    return NetEqImpl::InsertPacket(header, payload);
  }

  void SetCodecs(const std::map<int, webrtc::SdpAudioFormat>& codecs) override {
    event_rates_.fill(0);
    for (const auto& [type, format] : codecs) Learn(type, format);
    NetEqImpl::SetCodecs(codecs);
  }

  bool RegisterPayloadType(int type, const webrtc::SdpAudioFormat& format) override {
    Learn(type, format);
    return NetEqImpl::RegisterPayloadType(type, format);
  }

  int GetAudio(webrtc::AudioFrame* frame, bool* muted, int* rate, absl::optional<Operation> action) override {
    mixer_->OnTelephoneEvents(&events_);
    return NetEqImpl::GetAudio(frame, muted, rate, action);
  }

 private:
  void Learn(int type, const webrtc::SdpAudioFormat& format) {
    if (type < 0 || static_cast<size_t>(type) >= event_rates_.size()) return;
    event_rates_[static_cast<size_t>(type)] =
        absl::EqualsIgnoreCase(format.name, "telephone-event") ? format.clockrate_hz : 0;
  }

  PullMixer* const mixer_;
  TelephoneEvents events_;
  std::array<int, 128> event_rates_{};  // by payload type: the clock rate of telephone-events, 0 for anything else
};

class ListeningNetEqFactory : public webrtc::NetEqFactory {
 public:
  ListeningNetEqFactory(PullMixer* mixer, rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders)
      : mixer_(mixer), decoders_(std::move(decoders)), controllers_(CreateTightControllerFactory()) {}

  std::unique_ptr<webrtc::NetEq> CreateNetEq(const webrtc::NetEq::Config& config,
                                             const rtc::scoped_refptr<webrtc::AudioDecoderFactory>&,
                                             webrtc::Clock* clock) const override {
    return std::make_unique<ListeningNetEq>(
        config, webrtc::NetEqImpl::Dependencies(config, clock, decoders_, *controllers_), mixer_);
  }

 private:
  PullMixer* const mixer_;
  const rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders_;
  const std::unique_ptr<webrtc::NetEqControllerFactory> controllers_;
};

}  // namespace

std::unique_ptr<webrtc::NetEqFactory> CreateNetEqFactory(PullMixer* mixer,
                                                         rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders) {
  return std::make_unique<ListeningNetEqFactory>(mixer, std::move(decoders));
}

}  // namespace telnyx
