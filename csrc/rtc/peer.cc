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
constexpr char kClosed[] = "the peer is closed";

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

std::string Text(const webrtc::SdpParseError& error) {
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

void Peer::Post(uint64_t operation, Operation what) {
  engine_->signaling_thread_->PostTask([self = shared_from_this(), operation, what = std::move(what)] {
    const Reply reply = self->ReplyTo(operation);
    if (!self->connection_) return reply.Failed(kClosed);
    what(*self, reply);
  });
}

void Peer::Close(uint64_t operation) {
  engine_->signaling_thread_->PostTask([self = shared_from_this(), operation] {
    self->CloseNow();
    self->ReplyTo(operation).Done();
  });
}

void Peer::Open(uint64_t operation, const PeerOptions& options) {
  connection_ = engine_->Connect(options, socket_trouble_, track_.port().sample_rate(), this);
  if (!connection_) {
    engine_->Forget(id_);
    return ReplyTo(operation).Failed("libwebrtc refused the configuration: check the ICE servers");
  }
  const auto track = engine_->factory_->CreateAudioTrack(kTrackLabel, track_.source());
  auto sender = connection_->AddTrack(track, {kStreamLabel});
  RTC_CHECK(sender.ok()) << sender.error().message();
  sender_ = sender.MoveValue();
  if (options.processing) track_.Process(*options.processing);
  if (options.receive_processing) track_.ProcessReceived(*options.receive_processing);
  if (!options.standby) engine_->clock_->Add(id_, &track_);
  ReplyTo(operation).Done();
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
  Notify(EventKind::kConnectionState, "closed");
  engine_->Forget(id_);
}

Reply Peer::ReplyTo(uint64_t operation) const { return {&engine_->mailbox_, id_, operation}; }

void Peer::Notify(EventKind kind, std::string text) const {
  engine_->mailbox_.Post({id_, Event::kUnasked, kind, std::move(text), {}});
}

void Peer::Describe(const Reply& reply) {
  std::string sdp;
  const auto* description = connection_->local_description();
  if (description == nullptr || !description->ToString(&sdp))
    return reply.Failed("there is no local description yet: create an offer or an answer");
  reply.Description(std::move(sdp));
}

void Peer::SetRemote(const Reply& reply, webrtc::SdpType type, const std::string& sdp, std::function<void()> then) {
  webrtc::SdpParseError error;
  auto description = webrtc::CreateSessionDescription(type, sdp, &error);
  if (!description) return reply.Failed(Text(error));
  connection_->SetRemoteDescription(std::move(description),
                                    rtc::make_ref_counted<RemoteDescriptionObserver>(
                                        [self = shared_from_this(), reply, then = std::move(then)](RTCError result) {
                                          if (!result.ok()) return reply.Failed(result.message());
                                          if (!self->connection_) return reply.Failed(kClosed);
                                          then();
                                        }));
}

void Peer::SetLocal(const Reply& reply) {
  connection_->SetLocalDescription(
      rtc::make_ref_counted<LocalDescriptionObserver>([self = shared_from_this(), reply](RTCError result) {
        if (!result.ok()) return reply.Failed(result.message());
        if (!self->connection_) return reply.Failed(kClosed);
        self->Describe(reply);
      }));
}

void Peer::AddCandidate(const Reply& reply, const std::string& candidate, const std::string& mid, int index) {
  webrtc::SdpParseError error;
  std::unique_ptr<webrtc::IceCandidateInterface> parsed(webrtc::CreateIceCandidate(mid, index, candidate, &error));
  if (!parsed) return reply.Failed(Text(error));
  if (parsed->candidate().address().IsUnresolvedIP())
    return reply.Failed("a candidate with a host name: names of the remote party are not looked up");
  connection_->AddIceCandidate(std::move(parsed), [reply](RTCError result) {
    if (!result.ok()) return reply.Failed(result.message());
    reply.Done();
  });
}

void Peer::GetStats(const Reply& reply) {
  connection_->GetStats(rtc::make_ref_counted<StatsObserver>([reply](const StatsObserver::Report& report) {
                          reply.Stats(report->ToJson());
                        }).get());
}

void Peer::BreakDtls(const Reply& reply) {
  const auto transport = sender_->dtls_transport();
  if (!transport) return reply.Failed("there is no transport yet");
  engine_->network_thread_->PostTask([self = shared_from_this(), reply, transport] {
    // libwebrtc begins anew for a fingerprint that changes, and cannot with an algorithm that there is not.
    constexpr uint8_t kDigest[32] = {};
    auto* const internal = static_cast<webrtc::DtlsTransport*>(transport.get())->internal();
    if (internal != nullptr) internal->SetRemoteParameters("none", kDigest, sizeof kDigest, absl::nullopt);
    reply.Done();
  });
}

void Peer::OnIceCandidate(const webrtc::IceCandidateInterface* candidate) {
  std::string text;
  if (!candidate->ToString(&text)) return;
  engine_->mailbox_.Post({id_, Event::kUnasked, EventKind::kCandidate, std::move(text), candidate->sdp_mid(),
                          candidate->sdp_mline_index()});
}

void Peer::OnIceGatheringChange(PeerConnectionInterface::IceGatheringState state) {
  if (state != PeerConnectionInterface::kIceGatheringComplete) return;
  const int trouble = socket_trouble_->exchange(0, std::memory_order_relaxed);
  Notify(EventKind::kGatheringDone, trouble != 0 ? std::generic_category().message(trouble) : "");
}

void Peer::OnConnectionChange(PeerConnectionInterface::PeerConnectionState state) {
  if (state == PeerConnectionInterface::PeerConnectionState::kConnected)
    engine_->clock_->Synchronized([this](const ClockLock& lock) { track_.set_connected(lock); });
  // By way of the network thread: it may still be telling the DTLS transport what it has told us.
  engine_->network_thread_->PostTask([self = shared_from_this(), state] {
    self->engine_->signaling_thread_->PostTask([self, state] { self->NotifyOf(state); });
  });
}

void Peer::NotifyOf(PeerConnectionInterface::PeerConnectionState state) {
  if (!connection_) return;
  if (const auto transport = sender_->dtls_transport()) {
    const webrtc::DtlsTransportState dtls = transport->Information().state();
    if (std::exchange(dtls_state_, dtls) != dtls) Notify(EventKind::kDtlsState, Name(dtls));
  }
  // The end of it is reported by CloseNow, once.
  if (state != PeerConnectionInterface::PeerConnectionState::kClosed)
    Notify(EventKind::kConnectionState, std::string(PeerConnectionInterface::AsString(state)));
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
