#include "rtc/pull_mixer.h"

#include <algorithm>

#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int kPullsBetweenShifts = 25;
constexpr double kSlotMs = 10.0 / PullMixer::kSlots;
constexpr double kSpareMs = 0.5;  // so that it does not go back at once

}  // namespace

bool PullMixer::AddSource(Source* source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back({source, source->PreferredSampleRate()});
  return true;
}

void PullMixer::RemoveSource(Source* source) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sources_, [source](const Pulled& pulled) { return pulled.source == source; });
}

void PullMixer::Mix(size_t, webrtc::AudioFrame* frame) { frame->Mute(); }

int64_t PullMixer::NextDue() const {
  const std::lock_guard lock(mutex_);
  int64_t next = kNever;
  for (const Pulled& pulled : sources_) next = std::min(next, pulled.due);
  return next;
}

void PullMixer::PullDue(int64_t slot) {
  const std::lock_guard lock(mutex_);
  for (Pulled& pulled : sources_) {
    if (pulled.due > slot) continue;
    wanted_rate_ = pulled.sample_rate;
    events_ = nullptr;
    outlet_ = nullptr;
    slack_.reset();
    before_.reset();
    pulled.source->GetAudioFrameWithInfo(pulled.sample_rate, &frame_);
    pulled.sample_rate = wanted_rate_;
    pulled.due = slot + kSlots + Shift(pulled);
    if (before_) {
      const int64_t latest = before_->due + kSlots;
      pulled.due = std::clamp(pulled.due, before_->together ? latest : before_->due + 1, latest);
    }
  }
}

// By how many slots the next pull comes later (or earlier), so that packets neither wait in vain nor come too late.
int64_t PullMixer::Shift(Pulled& pulled) {
  if (!slack_) return 0;
  pulled.least_slack = pulled.judged == 0 ? *slack_ : std::min(pulled.least_slack, *slack_);
  if (++pulled.judged < kPullsBetweenShifts) return 0;
  pulled.judged = 0;
  if (pulled.least_slack > kSlotMs + kSpareMs) return -1;
  return pulled.least_slack < 0 ? 1 : 0;
}

}  // namespace telnyx
