#include "rtc/word_detector.h"

#include <algorithm>
#include <cstdlib>

#include "rtc/build_contract.h"

namespace telnyx {

std::optional<WordEdge> WordDetector::Process(const int16_t* frame, int threshold) {
  int64_t sum = 0;
  for (size_t i = 0; i < frame_size(); ++i) sum += std::abs(frame[i]);
  const float level = static_cast<float>(sum) / static_cast<float>(frame_size());
  const bool voiced = voice_.IsSpeech(frame);
  LearnNoise(level);
  loudest_ *= kLoudestFades;
  if (voiced) loudest_ = std::max(loudest_, level);
  const bool speech =
      voiced && level >= static_cast<float>(threshold) && level >= loudest_ * kPause && level >= noise_ * kOverNoise;
  const bool was_speaking = gate_.speaking();
  const bool is_speaking = gate_.Update(speech, kOnset, kHangover);
  if (is_speaking == was_speaking) return std::nullopt;
  return WordEdge{is_speaking, gate_.ticks()};
}

void WordDetector::LearnNoise(float level) {
  if (ticks_ < kFirstNoise)
    noise_ += (level - noise_) / static_cast<float>(++ticks_);
  else if (level < noise_)
    noise_ += (level - noise_) * kNoiseFalls;
  else
    noise_ *= gate_.speaking() ? kNoiseRisesInWords : kNoiseRises;
  noise_ = std::max(noise_, 1.0F);
}

// The noise stays known: it may begin in the middle of a word.
void WordDetector::Reset() {
  gate_ = {};
  loudest_ = 0;
}

}  // namespace telnyx
