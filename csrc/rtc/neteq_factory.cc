#include "rtc/neteq_factory.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "audio/telephone_events.h"
#include "modules/audio_coding/neteq/expand.h"
#include "modules/audio_coding/neteq/neteq_impl.h"
#include "rtc/build_contract.h"
#include "rtc/jitter_control.h"
#include "rtc/pull_mixer.h"

// Declared in libwebrtc's opus_interface.h, which needs the headers of Opus.
extern "C" int WebRtcOpus_PacketHasFec(const uint8_t* payload, size_t size);

namespace telnyx {

namespace {

// Packets and codecs come from the network thread, the audio is pulled by the clock.
class ListeningNetEq : public webrtc::NetEqImpl {
 public:
  ListeningNetEq(const Config& config, Dependencies&& dependencies, JitterControl* control, PullMixer* mixer)
      : NetEqImpl(config, std::move(dependencies)), control_(control), mixer_(mixer) {}

  int InsertPacket(const webrtc::RTPHeader& header, rtc::ArrayView<const uint8_t> payload) override {
    if (const int rate = event_rates_[header.payloadType % kPayloadTypes]; rate != 0)
      events_.Insert(header.timestamp, rate, payload.data(), payload.size());
    AnnounceRedundancy(redundancy_[header.payloadType % kPayloadTypes], payload);
    return NetEqImpl::InsertPacket(header, payload);
  }

  void SetCodecs(const std::map<int, webrtc::SdpAudioFormat>& codecs) override {
    event_rates_.fill(0);
    redundancy_.fill(Redundancy::kNone);
    for (const auto& [type, format] : codecs) Learn(type, format);
    NetEqImpl::SetCodecs(codecs);
  }

  bool RegisterPayloadType(int type, const webrtc::SdpAudioFormat& format) override {
    Learn(type, format);
    return NetEqImpl::RegisterPayloadType(type, format);
  }

  int GetAudio(webrtc::AudioFrame* frame, bool* muted, int* rate, absl::optional<Operation> action) override {
    mixer_->OnTelephoneEvents(&events_);
    ForgetStaleExpansion();
    const int result = NetEqImpl::GetAudio(frame, muted, rate, action);
    if (const auto slack = control_->Slack()) mixer_->OnSlack(*slack);
    return result;
  }

 private:
  static constexpr size_t kPayloadTypes = 128;

  // NetEq stays silent once its expansion has faded and nothing comes, and then checks that expanding is what it did
  // last. Where the codec conceals (see ConcealingDecoder), or keys were played, it is not, although a remote party can
  // bring it about, with another codec after a pause say: the check would end the process.
  void ForgetStaleExpansion() {
    const webrtc::MutexLock lock(&mutex_);
    if (last_mode_ != Mode::kExpand && expand_ != nullptr && expand_->Muted()) expand_->Reset();
  }

  // Where packets of a payload type may hold the one before them.
  enum class Redundancy : uint8_t { kNone, kInbandFec, kRed };

  void AnnounceRedundancy(Redundancy where, rtc::ArrayView<const uint8_t> payload) {
    const size_t blocks = where == Redundancy::kRed ? RedBlocks(payload) : 1;
    const bool fec = where == Redundancy::kInbandFec && WebRtcOpus_PacketHasFec(payload.data(), payload.size()) == 1;
    control_->AnnounceRedundancy(fec || blocks > 1, blocks);
  }

  // How many packets are in one (RFC 2198): a header of four octets, with the first bit set, for each that is repeated.
  static size_t RedBlocks(rtc::ArrayView<const uint8_t> payload) {
    size_t blocks = 1;
    for (size_t at = 0; at + 3 < payload.size() && (payload[at] & 0x80) != 0; at += 4)
      if ((payload[at + 2] & 3) != 0 || payload[at + 3] != 0) ++blocks;
    return blocks;
  }

  void Learn(int type, const webrtc::SdpAudioFormat& format) {
    if (type < 0 || static_cast<size_t>(type) >= kPayloadTypes) return;
    event_rates_[static_cast<size_t>(type)] =
        absl::EqualsIgnoreCase(format.name, "telephone-event") ? format.clockrate_hz : 0;
    if (absl::EqualsIgnoreCase(format.name, "opus")) redundancy_[static_cast<size_t>(type)] = Redundancy::kInbandFec;
    if (absl::EqualsIgnoreCase(format.name, "red")) redundancy_[static_cast<size_t>(type)] = Redundancy::kRed;
  }

  JitterControl* const control_;  // it is the base class's
  PullMixer* const mixer_;
  TelephoneEvents events_;
  std::array<int, kPayloadTypes> event_rates_{};  // the clock rate of telephone-events, 0 for anything else
  std::array<Redundancy, kPayloadTypes> redundancy_{};
};

// Makes one controller, and tells which.
class JitterControlFactory : public webrtc::NetEqControllerFactory {
 public:
  std::unique_ptr<webrtc::NetEqController> CreateNetEqController(
      const webrtc::NetEqController::Config& config) const override {
    auto control = std::make_unique<JitterControl>(config);
    made_ = control.get();
    return control;
  }
  JitterControl* made() const { return made_; }

 private:
  mutable JitterControl* made_ = nullptr;
};

class ListeningNetEqFactory : public webrtc::NetEqFactory {
 public:
  ListeningNetEqFactory(PullMixer* mixer, rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders)
      : mixer_(mixer), decoders_(std::move(decoders)) {}

  std::unique_ptr<webrtc::NetEq> CreateNetEq(const webrtc::NetEq::Config& config,
                                             const rtc::scoped_refptr<webrtc::AudioDecoderFactory>&,
                                             webrtc::Clock* clock) const override {
    const JitterControlFactory controls;
    webrtc::NetEqImpl::Dependencies dependencies(config, clock, decoders_, controls);
    return std::make_unique<ListeningNetEq>(config, std::move(dependencies), controls.made(), mixer_);
  }

 private:
  PullMixer* const mixer_;
  const rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders_;
};

}  // namespace

std::unique_ptr<webrtc::NetEqFactory> CreateNetEqFactory(PullMixer* mixer,
                                                         rtc::scoped_refptr<webrtc::AudioDecoderFactory> decoders) {
  return std::make_unique<ListeningNetEqFactory>(mixer, std::move(decoders));
}

}  // namespace telnyx
