// What an application can have done to a peer.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "rtc/conference.h"
#include "rtc/engine.h"
#include "rtc/media_clock.h"
#include "rtc/peer.h"

namespace telnyx {

// Each operation has the name that it has in Python, and a body that the signaling thread runs: it gets the peer, where
// to reply, and the arguments. A body that is not done when it returns hands the reply on.
//
// To add one, write it here, and call it in telnyx_native.media.peer.
struct PeerOperations {
  template <typename Define>
  static void ForEach(Define&& define) {
    // Replies with a description; candidates follow as events.
    define("create_offer", [](Peer& peer, const Reply& reply, bool ice_restart) {
      if (ice_restart) peer.connection_->RestartIce();
      peer.SetLocal(reply);
    });
    define("create_answer", [](Peer& peer, const Reply& reply, std::string offer) {
      peer.SetRemote(reply, webrtc::SdpType::kOffer, offer, [&peer, reply] { peer.SetLocal(reply); });
    });
    // Another answer may follow.
    define("set_provisional_answer", [](Peer& peer, const Reply& reply, std::string answer) {
      peer.SetRemote(reply, webrtc::SdpType::kPrAnswer, answer, [reply] { reply.Done(); });
    });
    define("set_answer", [](Peer& peer, const Reply& reply, std::string answer) {
      peer.SetRemote(reply, webrtc::SdpType::kAnswer, answer, [reply] { reply.Done(); });
    });
    // Replies with the description that has the candidates found so far.
    define("local_description", [](Peer& peer, const Reply& reply) { peer.Describe(reply); });
    define("add_candidate", [](Peer& peer, const Reply& reply, std::string candidate, std::string mid, int index) {
      peer.AddCandidate(reply, candidate, mid, index);
    });
    define("get_stats", [](Peer& peer, const Reply& reply) { peer.GetStats(reply); });
    // Done when the keys are queued (RFC 4733).
    define("insert_dtmf", [](Peer& peer, const Reply& reply, std::string keys, int duration_ms, int gap_ms) {
      const auto dtmf = peer.sender_->GetDtmfSender();
      if (!dtmf || !dtmf->CanInsertDtmf() || !dtmf->InsertDtmf(keys, duration_ms, gap_ms))
        return reply.Failed("the remote party takes no telephone-events, or is not connected yet");
      reply.Done();
    });
    define("set_echo", [](Peer& peer, const Reply& reply, bool echo) {
      peer.engine_->clock_->Synchronized([&](const ClockLock& lock) { peer.track_.set_echo(lock, echo); });
      reply.Done();
    });
    define("set_held", [](Peer& peer, const Reply& reply, bool held) {
      peer.engine_->clock_->Synchronized([&](const ClockLock& lock) { peer.track_.set_held(lock, held); });
      reply.Done();
    });
    // A member of the conference is only changed: whether the others hear it.
    define("join", [](Peer& peer, const Reply& reply, std::shared_ptr<Conference> conference, bool heard) {
      MixMinus::Preparation prepared = conference->Prepare(peer.track_.port().sample_rate());
      bool joined = false;
      peer.engine_->clock_->Synchronized([&](const ClockLock& lock) {
        joined = conference->SetHeard(lock, &peer.track_, heard) ||
                 conference->Add(lock, &peer.track_, heard, std::move(prepared));
      });
      if (!joined) return reply.Failed("the conference is full or closed");
      reply.Done();
    });
    // All conferences.
    define("leave", [](Peer& peer, const Reply& reply) {
      peer.engine_->clock_->RemoveFromConferences(&peer.track_);
      reply.Done();
    });
    // The port's audio goes by this peer now, and its predecessor is closed.
    define("take_over", [](Peer& peer, const Reply& reply, std::shared_ptr<Peer> predecessor) {
      peer.engine_->clock_->Replace(&predecessor->track_, peer.id_, &peer.track_);
      predecessor->CloseNow();
      reply.Done();
    });
    // Bits per second to send at most; 0 for no limit.
    define("set_max_bitrate", [](Peer& peer, const Reply& reply, int bitrate) {
      webrtc::RtpParameters parameters = peer.sender_->GetParameters();
      if (parameters.encodings.empty()) return reply.Failed("nothing was negotiated yet");
      parameters.encodings[0].max_bitrate_bps = bitrate > 0 ? absl::optional<int>(bitrate) : absl::nullopt;
      const webrtc::RTCError error = peer.sender_->SetParameters(parameters);
      if (!error.ok()) return reply.Failed(error.message());
      reply.Done();
    });
    // For tests: its DTLS transport fails, as when OpenSSL meets what it cannot go on from.
    define("break_dtls", [](Peer& peer, const Reply& reply) { peer.BreakDtls(reply); });
  }
};

}  // namespace telnyx
