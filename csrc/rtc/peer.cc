#include "rtc/peer.h"

#include <system_error>
#include <utility>

#include "api/jsep.h"
#include "api/make_ref_counted.h"
#include "api/set_local_description_observer_interface.h"
#include "api/set_remote_description_observer_interface.h"
#include "api/stats/rtc_stats_collector_callback.h"
#include "api/stats/rtc_stats_report.h"
#include "pc/dtls_transport.h"
#include "rtc/build_contract.h"
#include "rtc/engine.h"
#include "rtc_base/thread.h"

namespace telnyx {

namespace {

using webrtc::PeerConnectionInterface;
using webrtc::RTCError;

constexpr char kTrackLabel[] = "audio";
constexpr char kStreamLabel[] = "telnyx-native";

class LocalDescriptionObserver : public webrtc::SetLocalDescriptionObserverInterface {
 public:
  explicit LocalDescriptionObserver(std::function<void(RTCError)> complete) : complete_(std::move(complete)) {}
  void OnSetLocalDescriptionComplete(RTCError error) override { complete_(std::move(error)); }

 private:
  const std::function<void(RTCError)> complete_;
};

class RemoteDescriptionObserver : public webrtc::SetRemoteDescriptionObserverInterface {
 public:
  explicit RemoteDescriptionObserver(std::function<void(RTCError)> complete) : complete_(std::move(complete)) {}
  void OnSetRemoteDescriptionComplete(RTCError error) override { complete_(std::move(error)); }

 private:
  const std::function<void(RTCError)> complete_;
};

class StatsObserver : public webrtc::RTCStatsCollectorCallback {
 public:
  using Report = rtc::scoped_refptr<const webrtc::RTCStatsReport>;
  explicit StatsObserver(std::function<void(const Report&)> deliver) : deliver_(std::move(deliver)) {}
  void OnStatsDelivered(const Report& report) override { deliver_(report); }

 private:
  const std::function<void(const Report&)> deliver_;
};

std::string Describe(const webrtc::SdpParseError& error) {
  return error.line.empty() ? error.description : error.description + " in line \"" + error.line + "\"";
}

const char* Name(webrtc::DtlsTransportState state) {
  switch (state) {
    case webrtc::DtlsTransportState::kConnecting:
      return "connecting";
    case webrtc::DtlsTransportState::kConnected:
      return "connected";
    case webrtc::DtlsTransportState::kClosed:
      return "closed";
    case webrtc::DtlsTransportState::kFailed:
      return "failed";
    default:
      return "new";
  }
}

}  // namespace

Peer::Peer(Engine* engine, uint64_t id, std::shared_ptr<AudioPort> port)
    : engine_(engine), id_(id), track_(std::move(port), engine->mixer_.get()) {}

Peer::~Peer() = default;

void Peer::CreateOffer(uint64_t operation, bool ice_restart) {
  Post(operation, [this, operation, ice_restart] {
    if (ice_restart) connection_->RestartIce();
    SetLocal(operation);
  });
}

void Peer::CreateAnswer(uint64_t operation, std::string offer) {
  Post(operation, [this, operation, offer = std::move(offer)] {
    SetRemote(operation, webrtc::SdpType::kOffer, offer, [this, operation] { SetLocal(operation); });
  });
}

void Peer::SetProvisionalAnswer(uint64_t operation, std::string answer) {
  TakeAnswer(operation, webrtc::SdpType::kPrAnswer, std::move(answer));
}

void Peer::SetAnswer(uint64_t operation, std::string answer) {
  TakeAnswer(operation, webrtc::SdpType::kAnswer, std::move(answer));
}

void Peer::TakeAnswer(uint64_t operation, webrtc::SdpType type, std::string answer) {
  Post(operation, [this, operation, type, answer = std::move(answer)] {
    SetRemote(operation, type, answer, [this, operation] { Answer(operation, EventKind::kDone); });
  });
}

void Peer::LocalDescription(uint64_t operation) {
  Post(operation, [this, operation] { AnswerDescription(operation); });
}

void Peer::AddCandidate(uint64_t operation, std::string candidate, std::string mid, int index) {
  Post(operation, [this, operation, candidate = std::move(candidate), mid = std::move(mid), index] {
    webrtc::SdpParseError error;
    std::unique_ptr<webrtc::IceCandidateInterface> parsed(webrtc::CreateIceCandidate(mid, index, candidate, &error));
    if (!parsed) return Answer(operation, EventKind::kFailed, Describe(error));
    if (parsed->candidate().address().IsUnresolvedIP())
      return Answer(operation, EventKind::kFailed,
                    "a candidate with a host name: names of the far end are not looked up");
    connection_->AddIceCandidate(std::move(parsed), [self = shared_from_this(), operation](RTCError result) {
      if (!result.ok()) return self->Answer(operation, EventKind::kFailed, result.message());
      self->Answer(operation, EventKind::kDone);
    });
  });
}

void Peer::GetStats(uint64_t operation) {
  Post(operation, [this, operation] {
    connection_->GetStats(rtc::make_ref_counted<StatsObserver>([self = shared_from_this(),
                                                                operation](const StatsObserver::Report& report) {
                            self->Answer(operation, EventKind::kStats, report->ToJson());
                          }).get());
  });
}

void Peer::InsertDtmf(uint64_t operation, std::string keys, int duration_ms, int gap_ms) {
  Post(operation, [this, operation, keys = std::move(keys), duration_ms, gap_ms] {
    const auto dtmf = sender_->GetDtmfSender();
    if (!dtmf || !dtmf->CanInsertDtmf() || !dtmf->InsertDtmf(keys, duration_ms, gap_ms))
      return Answer(operation, EventKind::kFailed, "the far end takes no telephone-events, or is not connected yet");
    Answer(operation, EventKind::kDone);
  });
}

void Peer::SetEcho(uint64_t operation, bool echo) {
  Post(operation, [this, operation, echo] {
    engine_->clock_->Synchronized([&] { track_.set_echo(echo); });
    Answer(operation, EventKind::kDone);
  });
}

void Peer::SetHeld(uint64_t operation, bool held) {
  Post(operation, [this, operation, held] {
    engine_->clock_->Synchronized([&] { track_.set_held(held); });
    Answer(operation, EventKind::kDone);
  });
}

void Peer::Join(uint64_t operation, std::shared_ptr<Conference> conference, bool heard) {
  Post(operation, [this, operation, conference = std::move(conference), heard] {
    MixMinus::Preparation prepared = conference->Prepare(track_.port().sample_rate());
    bool joined = false;
    engine_->clock_->Synchronized(
        [&] { joined = conference->SetHeard(&track_, heard) || conference->Add(&track_, heard, std::move(prepared)); });
    if (!joined) return Answer(operation, EventKind::kFailed, "the conference is full or closed");
    Answer(operation, EventKind::kDone);
  });
}

void Peer::Leave(uint64_t operation) {
  Post(operation, [this, operation] {
    engine_->clock_->RemoveFromConferences(&track_);
    Answer(operation, EventKind::kDone);
  });
}

void Peer::TakeOver(uint64_t operation, std::shared_ptr<Peer> predecessor) {
  Post(operation, [this, operation, predecessor = std::move(predecessor)] {
    engine_->clock_->Replace(&predecessor->track_, id_, &track_);
    predecessor->CloseNow();
    Answer(operation, EventKind::kDone);
  });
}

void Peer::SetMaxBitrate(uint64_t operation, int bitrate) {
  Post(operation, [this, operation, bitrate] {
    webrtc::RtpParameters parameters = sender_->GetParameters();
    if (parameters.encodings.empty()) return Answer(operation, EventKind::kFailed, "nothing was negotiated yet");
    parameters.encodings[0].max_bitrate_bps = bitrate > 0 ? absl::optional<int>(bitrate) : absl::nullopt;
    const RTCError error = sender_->SetParameters(parameters);
    if (!error.ok()) return Answer(operation, EventKind::kFailed, error.message());
    Answer(operation, EventKind::kDone);
  });
}

void Peer::BreakDtls(uint64_t operation) {
  Post(operation, [this, operation] {
    const auto transport = sender_->dtls_transport();
    if (!transport) return Answer(operation, EventKind::kFailed, "there is no transport yet");
    engine_->network_thread_->PostTask([self = shared_from_this(), operation, transport] {
      // libwebrtc begins anew for a fingerprint that changes, and cannot with an algorithm that there is not.
      constexpr uint8_t kDigest[32] = {};
      auto* const internal = static_cast<webrtc::DtlsTransport*>(transport.get())->internal();
      if (internal != nullptr) internal->SetRemoteParameters("none", kDigest, sizeof kDigest, absl::nullopt);
      self->Answer(operation, EventKind::kDone);
    });
  });
}

void Peer::Close(uint64_t operation) {
  engine_->signaling_thread_->PostTask([self = shared_from_this(), operation] {
    self->CloseNow();
    self->Answer(operation, EventKind::kDone);
  });
}

void Peer::Open(uint64_t operation, const PeerOptions& options) {
  connection_ = engine_->Connect(options, socket_trouble_, track_.port().sample_rate(), this);
  if (!connection_) {
    engine_->Forget(id_);
    return Answer(operation, EventKind::kFailed, "libwebrtc refused the configuration: check the ICE servers");
  }
  const auto track = engine_->factory_->CreateAudioTrack(kTrackLabel, track_.source());
  auto sender = connection_->AddTrack(track, {kStreamLabel});
  RTC_CHECK(sender.ok()) << sender.error().message();
  sender_ = sender.MoveValue();
  if (options.processing) track_.Process(*options.processing);
  if (!options.standby) engine_->clock_->Add(id_, &track_);
  Answer(operation, EventKind::kDone);
}

void Peer::CloseNow() {
  if (!connection_) return;
  const auto keep = shared_from_this();  // the engine's reference ends here
  engine_->clock_->Remove(&track_);
  connection_->Close();
  if (receiver_) {
    receiver_->SetObserver(nullptr);
    remote_track_->RemoveSink(&track_);
  }
  receiver_ = nullptr;
  remote_track_ = nullptr;
  sender_ = nullptr;
  connection_ = nullptr;
  Answer(0, EventKind::kConnectionState, "closed");
  engine_->Forget(id_);
}

void Peer::Post(uint64_t operation, std::function<void()> task) {
  engine_->signaling_thread_->PostTask([self = shared_from_this(), operation, task = std::move(task)] {
    if (!self->connection_) return self->Answer(operation, EventKind::kFailed, "the peer is closed");
    task();
  });
}

void Peer::Answer(uint64_t operation, EventKind kind, std::string text) {
  engine_->mailbox_.Post({id_, operation, kind, std::move(text), {}});
}

void Peer::AnswerDescription(uint64_t operation) {
  std::string sdp;
  const auto* description = connection_->local_description();
  if (description == nullptr || !description->ToString(&sdp))
    return Answer(operation, EventKind::kFailed, "there is no local description yet: create an offer or an answer");
  Answer(operation, EventKind::kDescription, std::move(sdp));
}

void Peer::SetRemote(uint64_t operation, webrtc::SdpType type, const std::string& sdp, std::function<void()> then) {
  webrtc::SdpParseError error;
  auto description = webrtc::CreateSessionDescription(type, sdp, &error);
  if (!description) return Answer(operation, EventKind::kFailed, Describe(error));
  connection_->SetRemoteDescription(
      std::move(description), rtc::make_ref_counted<RemoteDescriptionObserver>(
                                  [self = shared_from_this(), operation, then = std::move(then)](RTCError result) {
                                    if (!result.ok())
                                      return self->Answer(operation, EventKind::kFailed, result.message());
                                    if (!self->connection_)
                                      return self->Answer(operation, EventKind::kFailed, "the peer is closed");
                                    then();
                                  }));
}

void Peer::SetLocal(uint64_t operation) {
  connection_->SetLocalDescription(
      rtc::make_ref_counted<LocalDescriptionObserver>([self = shared_from_this(), operation](RTCError result) {
        if (!result.ok()) return self->Answer(operation, EventKind::kFailed, result.message());
        if (!self->connection_) return self->Answer(operation, EventKind::kFailed, "the peer is closed");
        self->AnswerDescription(operation);
      }));
}

void Peer::OnIceCandidate(const webrtc::IceCandidateInterface* candidate) {
  std::string text;
  if (!candidate->ToString(&text)) return;
  engine_->mailbox_.Post(
      {id_, 0, EventKind::kCandidate, std::move(text), candidate->sdp_mid(), candidate->sdp_mline_index()});
}

void Peer::OnIceGatheringChange(PeerConnectionInterface::IceGatheringState state) {
  if (state != PeerConnectionInterface::kIceGatheringComplete) return;
  const int trouble = socket_trouble_->exchange(0, std::memory_order_relaxed);
  Answer(0, EventKind::kGatheringDone, trouble != 0 ? std::generic_category().message(trouble) : "");
}

void Peer::OnConnectionChange(PeerConnectionInterface::PeerConnectionState state) {
  if (state == PeerConnectionInterface::PeerConnectionState::kConnected)
    engine_->clock_->Synchronized([this] { track_.set_connected(); });
  // By way of the network thread: it may still be telling the DTLS transport what it has told us.
  engine_->network_thread_->PostTask([self = shared_from_this(), state] {
    self->engine_->signaling_thread_->PostTask([self, state] { self->Report(state); });
  });
}

void Peer::Report(PeerConnectionInterface::PeerConnectionState state) {
  if (!connection_) return;
  if (const auto transport = sender_->dtls_transport()) {
    const webrtc::DtlsTransportState dtls = transport->Information().state();
    if (std::exchange(dtls_state_, dtls) != dtls) Answer(0, EventKind::kDtlsState, Name(dtls));
  }
  // The end of it is reported by CloseNow, once.
  if (state != PeerConnectionInterface::PeerConnectionState::kClosed)
    Answer(0, EventKind::kConnectionState, std::string(PeerConnectionInterface::AsString(state)));
}

void Peer::OnTrack(rtc::scoped_refptr<webrtc::RtpTransceiverInterface> transceiver) {
  const auto track = transceiver->receiver()->track();
  if (remote_track_ || track->kind() != webrtc::MediaStreamTrackInterface::kAudioKind) return;
  remote_track_ =
      rtc::scoped_refptr<webrtc::AudioTrackInterface>(static_cast<webrtc::AudioTrackInterface*>(track.get()));
  remote_track_->AddSink(&track_);
  receiver_ = transceiver->receiver();
  receiver_->SetObserver(this);
}

}  // namespace telnyx
