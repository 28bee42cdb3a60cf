#include "rtc/jitter_control.h"

#include "modules/audio_coding/neteq/decision_logic.h"
#include "rtc/build_contract.h"

namespace telnyx {

namespace {

// Cutting a pitch period takes away up to 15 ms. From more than this above the target it does not fall below three
// quarters of a 20 ms target, where NetEq would stretch again.
constexpr int kToleratedMs = 10;
constexpr int kTicksBetweenCuts = 10;  // ticks of 10 ms

class TightDecision : public webrtc::DecisionLogic {
 public:
  using DecisionLogic::DecisionLogic;

  void SetSampleRate(int rate, size_t output_size) override {
    DecisionLogic::SetSampleRate(rate, output_size);
    samples_per_ms_ = rate / 1000;
  }

  webrtc::NetEq::Operation GetDecision(const NetEqStatus& status, bool* reset_decoder) override {
    const auto decision = DecisionLogic::GetDecision(status, reset_decoder);
    ++ticks_since_cut_;
    if (decision == webrtc::NetEq::Operation::kNormal && MayCut(status)) {
      ticks_since_cut_ = 0;
      return webrtc::NetEq::Operation::kAccelerate;
    }
    return decision;
  }

 private:
  bool MayCut(const NetEqStatus& status) const {
    return ticks_since_cut_ >= kTicksBetweenCuts && status.next_packet && !status.next_packet->is_cng &&
           !status.play_dtmf && status.last_mode == webrtc::NetEq::Mode::kNormal &&
           GetFilteredBufferLevel() > (TargetLevelMs() + kToleratedMs) * samples_per_ms_;
  }

  int samples_per_ms_ = 48;
  int ticks_since_cut_ = 0;
};

class TightControllerFactory : public webrtc::NetEqControllerFactory {
 public:
  std::unique_ptr<webrtc::NetEqController> CreateNetEqController(
      const webrtc::NetEqController::Config& config) const override {
    return std::make_unique<TightDecision>(config);
  }
};

}  // namespace

std::unique_ptr<webrtc::NetEqControllerFactory> CreateTightControllerFactory() {
  return std::make_unique<TightControllerFactory>();
}

}  // namespace telnyx
