#include "rtc/direct_transport.h"

#include <algorithm>

#include "api/units/timestamp.h"
#include "modules/pacing/packet_router.h"
#include "modules/utility/maybe_worker_thread.h"
#include "rtc/build_contract.h"

namespace telnyx {

// All of it is of the network thread, but EnqueuePackets.
class DirectTransport final : public webrtc::RtpTransportControllerSendInterface,
                              private webrtc::RtpPacketSender,
                              private webrtc::RtcpBandwidthObserver,
                              private webrtc::StreamFeedbackProvider {
 public:
  DirectTransport(Outbox* outbox, const webrtc::CallConfig& config)
      : outbox_(outbox),
        start_rate_(webrtc::DataRate::BitsPerSec(config.bitrate_config.start_bitrate_bps)),
        worker_(*config.trials, "unused", config.task_queue_factory) {}

  ~DirectTransport() override { outbox_->Forget(this); }

  void Send(std::unique_ptr<webrtc::RtpPacketToSend> packet) {
    router_.SendPacket(std::move(packet), webrtc::PacedPacketInfo());
  }

  webrtc::MaybeWorkerThread* GetWorkerQueue() override { return &worker_; }
  webrtc::PacketRouter* packet_router() override { return &router_; }
  webrtc::RtpPacketSender* packet_sender() override { return this; }
  webrtc::StreamFeedbackProvider* GetStreamFeedbackProvider() override { return this; }
  webrtc::RtcpBandwidthObserver* GetBandwidthObserver() override { return this; }
  webrtc::TransportFeedbackObserver* transport_feedback_observer() override { return nullptr; }
  webrtc::NetworkStateEstimateObserver* network_state_estimate_observer() override { return nullptr; }

  void RegisterTargetTransferRateObserver(webrtc::TargetTransferRateObserver* observer) override {
    observer->OnStartRateUpdate(start_rate_);
  }

  // Nothing waits here, and nobody estimates.
  int64_t GetPacerQueuingDelayMs() const override { return 0; }
  absl::optional<webrtc::Timestamp> GetFirstPacketTime() const override { return absl::nullopt; }
  void OnSentPacket(const rtc::SentPacket&) override {}
  void OnReceivedPacket(const webrtc::ReceivedPacket&) override {}
  void OnNetworkRouteChanged(absl::string_view, const rtc::NetworkRoute&) override {}
  void OnNetworkAvailability(bool) override {}
  void OnTransportOverheadChanged(size_t) override {}
  void SetAllocatedSendBitrateLimits(webrtc::BitrateAllocationLimits) override {}
  void SetSdpBitrateParameters(const webrtc::BitrateConstraints&) override {}
  void SetClientBitratePreferences(const webrtc::BitrateSettings&) override {}
  void SetPacingFactor(float) override {}
  void SetQueueTimeLimit(int) override {}
  void EnablePeriodicAlrProbing(bool) override {}
  void AccountForAudioPacketsInPacedSender(bool) override {}
  void IncludeOverheadInPacedSender() override {}
  void EnsureStarted() override {}

  // There is no video.
  webrtc::RtpVideoSenderInterface* CreateRtpVideoSender(
      const std::map<uint32_t, webrtc::RtpState>&, const std::map<uint32_t, webrtc::RtpPayloadState>&,
      const webrtc::RtpConfig&, int, webrtc::Transport*, const webrtc::RtpSenderObservers&, webrtc::RtcEventLog*,
      std::unique_ptr<webrtc::FecController>, const webrtc::RtpSenderFrameEncryptionConfig&,
      rtc::scoped_refptr<webrtc::FrameTransformerInterface>) override {
    return nullptr;
  }
  void DestroyRtpVideoSender(webrtc::RtpVideoSenderInterface*) override {}

 private:
  void EnqueuePackets(std::vector<std::unique_ptr<webrtc::RtpPacketToSend>> packets) override {
    for (const auto& packet : packets) packet->set_allow_retransmission(false);
    outbox_->Post(this, std::move(packets));
  }

  void OnReceivedEstimatedBitrate(uint32_t) override {}
  void OnReceivedRtcpReceiverReport(const webrtc::ReportBlockList&, int64_t, int64_t) override {}
  void RegisterStreamFeedbackObserver(std::vector<uint32_t>, webrtc::StreamFeedbackObserver*) override {}
  void DeRegisterStreamFeedbackObserver(webrtc::StreamFeedbackObserver*) override {}

  Outbox* const outbox_;
  const webrtc::DataRate start_rate_;
  webrtc::PacketRouter router_;
  webrtc::MaybeWorkerThread worker_;
};

void Outbox::Post(DirectTransport* transport, std::vector<std::unique_ptr<webrtc::RtpPacketToSend>> packets) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = waiting_.empty();
    for (auto& packet : packets) {
      if (waiting_.size() < kMaxWaiting)
        waiting_.emplace_back(transport, std::move(packet));
      else
        dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (first) network_->PostTask([this] { Send(); });
}

void Outbox::Forget(const DirectTransport* transport) {
  const auto of_transport = [transport](const Entry& entry) { return entry.first == transport; };
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, of_transport);
}

void Outbox::Send() {
  {
    const std::lock_guard lock(mutex_);
    sending_.swap(waiting_);
  }
  for (auto& [transport, packet] : sending_) transport->Send(std::move(packet));
  sending_.clear();
}

std::unique_ptr<webrtc::RtpTransportControllerSendInterface> CreateDirectTransport(Outbox* outbox,
                                                                                   const webrtc::CallConfig& config) {
  return std::make_unique<DirectTransport>(outbox, config);
}

}  // namespace telnyx
