// One call's transport and media: a peer connection with one audio track each way.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/peer_connection_interface.h"
#include "audio/audio_port.h"
#include "rtc/audio_processor.h"
#include "rtc/conference.h"
#include "rtc/mailbox.h"
#include "rtc/port_allocator.h"
#include "rtc/port_track.h"
#include "rtc/simulated_network.h"

namespace telnyx {

class Engine;

struct IceServer {
  std::vector<std::string> urls;
  std::string username;
  std::string password;
};

struct PeerOptions {
  std::vector<IceServer> ice_servers;
  bool relay_only = false;                      // only candidates of TURN servers
  bool loopback = false;                        // 127.0.0.1 is a candidate too: the far end is on this machine
  bool standby = false;                         // another peer has the port, until TakeOver
  std::optional<ProcessingOptions> processing;  // what happens to audio of the port before it is sent
  std::shared_ptr<SimulatedNetwork> network;    // what its packets go through, if that is not only the real one
  uint16_t first_port = 0;                      // of its UDP sockets; 0 for any
  uint16_t last_port = 0;
  std::vector<std::string> interfaces;  // the networks it uses, by name; all if there are none
  bool ipv6 = true;                     // whether addresses of IPv6 are candidates
};

// Every method may be called from any thread and returns at once: it posts to the signaling thread, which runs
// operations in order and answers each in the mailbox under the number given here.
class Peer : public std::enable_shared_from_this<Peer>,
             private webrtc::PeerConnectionObserver,
             private webrtc::RtpReceiverObserverInterface {
 public:
  Peer(Engine* engine, uint64_t id, std::shared_ptr<AudioPort> port);
  ~Peer() override;

  uint64_t id() const { return id_; }

  void CreateOffer(uint64_t operation, bool ice_restart);             // kDescription
  void CreateAnswer(uint64_t operation, std::string offer);           // kDescription
  void SetProvisionalAnswer(uint64_t operation, std::string answer);  // kDone; another answer may follow
  void SetAnswer(uint64_t operation, std::string answer);             // kDone
  void LocalDescription(uint64_t operation);                          // kDescription, with the candidates found so far
  void AddCandidate(uint64_t operation, std::string candidate, std::string mid, int index);  // kDone
  void GetStats(uint64_t operation);                                                         // kStats
  void InsertDtmf(uint64_t operation, std::string keys, int duration_ms, int gap_ms);  // kDone when queued (RFC 4733)
  void SetEcho(uint64_t operation, bool echo);                                         // kDone
  void SetHeld(uint64_t operation, bool held);                                         // kDone
  // kDone. If it is in there, it is only changed whether the others hear it.
  void Join(uint64_t operation, std::shared_ptr<Conference> conference, bool heard);
  void Leave(uint64_t operation);                                        // kDone; all conferences
  void TakeOver(uint64_t operation, std::shared_ptr<Peer> predecessor);  // kDone; the port's audio goes this way now
  void SetMaxBitrate(uint64_t operation, int bitrate);  // kDone; bits a second to send at most, 0 for no limit
  void Close(uint64_t operation);                       // kDone; also when closed already
  // kDone. For tests: its DTLS transport fails, as when OpenSSL meets what it cannot go on from.
  void BreakDtls(uint64_t operation);

 private:
  friend class Engine;

  // The rest is of the signaling thread.
  void Open(uint64_t operation, const PeerOptions& options);
  void CloseNow();

  void Post(uint64_t operation, std::function<void()> task);
  void Answer(uint64_t operation, EventKind kind, std::string text = {});
  void AnswerDescription(uint64_t operation);
  void Report(webrtc::PeerConnectionInterface::PeerConnectionState state);
  void TakeAnswer(uint64_t operation, webrtc::SdpType type, std::string answer);
  void SetRemote(uint64_t operation, webrtc::SdpType type, const std::string& sdp, std::function<void()> then);
  void SetLocal(uint64_t operation);

  void OnSignalingChange(webrtc::PeerConnectionInterface::SignalingState) override {}
  void OnDataChannel(rtc::scoped_refptr<webrtc::DataChannelInterface>) override {}
  void OnIceCandidate(const webrtc::IceCandidateInterface* candidate) override;
  void OnIceGatheringChange(webrtc::PeerConnectionInterface::IceGatheringState state) override;
  void OnConnectionChange(webrtc::PeerConnectionInterface::PeerConnectionState state) override;
  void OnTrack(rtc::scoped_refptr<webrtc::RtpTransceiverInterface> transceiver) override;
  void OnFirstPacketReceived(cricket::MediaType) override { Answer(0, EventKind::kFirstPacket); }

  Engine* const engine_;
  const uint64_t id_;
  PortTrack track_;
  rtc::scoped_refptr<webrtc::PeerConnectionInterface> connection_;
  rtc::scoped_refptr<webrtc::RtpSenderInterface> sender_;
  rtc::scoped_refptr<webrtc::RtpReceiverInterface> receiver_;
  rtc::scoped_refptr<webrtc::AudioTrackInterface> remote_track_;
  webrtc::DtlsTransportState dtls_state_ = webrtc::DtlsTransportState::kNew;
  const std::shared_ptr<SocketTrouble> socket_trouble_ = std::make_shared<SocketTrouble>(0);
};

}  // namespace telnyx
