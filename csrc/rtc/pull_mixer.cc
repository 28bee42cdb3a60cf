#include "rtc/pull_mixer.h"

#include "rtc/build_contract.h"

namespace telnyx {

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

void PullMixer::PullAll() {
  const std::lock_guard lock(mutex_);
  for (Pulled& pulled : sources_) {
    wanted_rate_ = pulled.sample_rate;
    events_ = nullptr;
    pulled.source->GetAudioFrameWithInfo(pulled.sample_rate, &frame_);
    pulled.sample_rate = wanted_rate_;
  }
}

}  // namespace telnyx
