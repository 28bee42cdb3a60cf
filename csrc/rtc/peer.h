// One call's transport and media: a peer connection with one audio track each way.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
  bool loopback = false;                        // 127.0.0.1 is a candidate too: the remote party is on this machine
  bool standby = false;                         // another peer has the port, until TakeOver
  std::optional<ProcessingOptions> processing;  // what happens to audio of the port before it is sent
  std::optional<ProcessingOptions> receive_processing;  // and to what is received, before the port gets it
  std::shared_ptr<SimulatedNetwork> network;            // what its packets go through, if that is not only the real one
  uint16_t first_port = 0;                              // of its UDP sockets; 0 for any
  uint16_t last_port = 0;
  std::vector<std::string> interfaces;  // the networks it uses, by name; all if there are none
  bool ipv6 = true;                     // whether addresses of IPv6 are candidates
};

// Where the outcome of an operation goes: into the mailbox, under the number of the operation. One reply to each.
class Reply {
 public:
  Reply(Mailbox* mailbox, uint64_t peer, uint64_t operation) : mailbox_(mailbox), peer_(peer), operation_(operation) {}

  void Done() const { Post(EventKind::kDone, {}); }
  void Failed(std::string why) const { Post(EventKind::kFailed, std::move(why)); }
  void Description(std::string sdp) const { Post(EventKind::kDescription, std::move(sdp)); }
  void Stats(std::string json) const { Post(EventKind::kStats, std::move(json)); }

 private:
  void Post(EventKind kind, std::string text) const { mailbox_->Post({peer_, operation_, kind, std::move(text), {}}); }

  Mailbox* mailbox_;
  uint64_t peer_, operation_;
};

// What is asked of it is in rtc/peer_operations.h. The signaling thread does it, in the order of Post.
class Peer : public std::enable_shared_from_this<Peer>,
             private webrtc::PeerConnectionObserver,
             private webrtc::RtpReceiverObserverInterface {
 public:
  using Operation = std::function<void(Peer&, const Reply&)>;

  Peer(Engine* engine, uint64_t id, std::shared_ptr<AudioPort> port);
  ~Peer() override;

  uint64_t id() const { return id_; }

  // From any thread; both return at once. An operation fails when the peer is closed; closing may be repeated.
  void Post(uint64_t operation, Operation what);
  void Close(uint64_t operation);

 private:
  friend class Engine;
  friend struct PeerOperations;

  // The rest is of the signaling thread.
  void Open(uint64_t operation, const PeerOptions& options);
  void CloseNow();

  void SetLocal(const Reply& reply);
  void SetRemote(const Reply& reply, webrtc::SdpType type, const std::string& sdp, std::function<void()> then);
  void Describe(const Reply& reply);
  void AddCandidate(const Reply& reply, const std::string& candidate, const std::string& mid, int index);
  void GetStats(const Reply& reply);
  void BreakDtls(const Reply& reply);

  Reply ReplyTo(uint64_t operation) const;
  // Tells what nobody asked for.
  void Notify(EventKind kind, std::string text = {}) const;
  void NotifyOf(webrtc::PeerConnectionInterface::PeerConnectionState state);

  void OnSignalingChange(webrtc::PeerConnectionInterface::SignalingState) override {}
  void OnDataChannel(rtc::scoped_refptr<webrtc::DataChannelInterface>) override {}
  void OnIceCandidate(const webrtc::IceCandidateInterface* candidate) override;
  void OnIceGatheringChange(webrtc::PeerConnectionInterface::IceGatheringState state) override;
  void OnConnectionChange(webrtc::PeerConnectionInterface::PeerConnectionState state) override;
  void OnTrack(rtc::scoped_refptr<webrtc::RtpTransceiverInterface> transceiver) override;
  void OnFirstPacketReceived(cricket::MediaType) override { Notify(EventKind::kFirstPacket); }

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
