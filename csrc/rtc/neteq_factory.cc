#include "rtc/neteq_factory.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "audio/packet_outlet.h"
#include "audio/telephone_events.h"
#include "modules/audio_coding/neteq/expand.h"
#include "modules/audio_coding/neteq/neteq_impl.h"
#include "rtc/build_contract.h"
#include "rtc/jitter_control.h"
#include "rtc/pull_mixer.h"
#include "rtc_base/time_utils.h"

// Declared in libwebrtc's opus_interface.h, which needs the headers of Opus.
extern "C" int WebRtcOpus_PacketHasFec(const uint8_t* payload, size_t size);

namespace telnyx {

namespace {

struct CodecName {
  const char* name;
  PacketCodec codec;
};

constexpr CodecName kCodecNames[] = {
    {"opus", PacketCodec::kOpus},       {"PCMU", PacketCodec::kPcmu}, {"PCMA", PacketCodec::kPcma},
    {"G722", PacketCodec::kG722},       {"red", PacketCodec::kRed},   {"telephone-event", PacketCodec::kTelephoneEvent},
    {"CN", PacketCodec::kComfortNoise},
};

PacketCodec CodecOf(const webrtc::SdpAudioFormat& format) {
  for (const CodecName& known : kCodecNames)
    if (absl::EqualsIgnoreCase(format.name, known.name)) return known.codec;
  return PacketCodec::kOther;
}

// Packets and codecs come from the network thread, the audio is pulled by the clock.
class ListeningNetEq : public webrtc::NetEqImpl {
 public:
  ListeningNetEq(const Config& config, Dependencies&& dependencies, JitterControl* control, PullMixer* mixer)
      : NetEqImpl(config, std::move(dependencies)), control_(control), mixer_(mixer) {}

  int InsertPacket(const webrtc::RTPHeader& header, rtc::ArrayView<const uint8_t> payload) override {
    const Format format = formats_[header.payloadType % kPayloadTypes];
    if (format.codec == PacketCodec::kTelephoneEvent)
      events_.Insert(header.timestamp, format.clock_khz * 1000, payload.data(), payload.size());
    AnnounceRedundancy(format.codec, payload);
    outlet_.Insert(HeadOf(header, format), payload.data(), payload.size());
    return NetEqImpl::InsertPacket(header, payload);
  }

  void SetCodecs(const std::map<int, webrtc::SdpAudioFormat>& codecs) override {
    formats_.fill({});
    for (const auto& [type, format] : codecs) Learn(type, format);
    NetEqImpl::SetCodecs(codecs);
  }

  bool RegisterPayloadType(int type, const webrtc::SdpAudioFormat& format) override {
    Learn(type, format);
    return NetEqImpl::RegisterPayloadType(type, format);
  }

  int GetAudio(webrtc::AudioFrame* frame, bool* muted, int* rate, absl::optional<Operation> action) override {
    mixer_->OnTelephoneEvents(&events_);
    mixer_->OnPackets(&outlet_);
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

  struct Format {
    PacketCodec codec = PacketCodec::kOther;
    uint16_t clock_khz = 0;
  };

  static PacketHead HeadOf(const webrtc::RTPHeader& header, Format format) {
    PacketHead head;
    head.sequence_number = header.sequenceNumber;
    head.payload_type = header.payloadType;
    head.codec = format.codec;
    head.clock_khz = format.clock_khz;
    head.timestamp = header.timestamp;
    head.ssrc = header.ssrc;
    head.arrived_us = rtc::TimeMicros();
    return head;
  }

  void AnnounceRedundancy(PacketCodec codec, rtc::ArrayView<const uint8_t> payload) {
    const size_t blocks = codec == PacketCodec::kRed ? RedBlocks(payload) : 1;
    const bool fec = codec == PacketCodec::kOpus && WebRtcOpus_PacketHasFec(payload.data(), payload.size()) == 1;
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
    formats_[static_cast<size_t>(type)] = {CodecOf(format), static_cast<uint16_t>(format.clockrate_hz / 1000)};
  }

  JitterControl* const control_;  // it is the base class's
  PullMixer* const mixer_;
  TelephoneEvents events_;
  PacketOutlet outlet_;
  std::array<Format, kPayloadTypes> formats_{};
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
