// When words begin and end, closer than the speech that an application waits for.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "audio/audio_monitor.h"
#include "rtc/speech_gate.h"
#include "rtc/voice_detector.h"

namespace telnyx {

// A word began or ended so many ticks ago.
struct WordEdge {
  bool began;
  int ticks_ago;
};

// What VoiceDetector takes for speech is a part of a word if its mean amplitude reaches a threshold, is 7 dB over the
// noise, and no more than 21 dB under the loudest part of late: so pauses are as long as they are heard. A few ticks
// make a word, and a few without end it. The noise is what is heard in the first 0.1 s; then it falls quickly and rises
// slowly, while somebody speaks more slowly still.
class WordDetector {
 public:
  explicit WordDetector(int sample_rate) : voice_(sample_rate) { voice_.SetAggressiveness(kAggressiveness); }

  size_t frame_size() const { return voice_.frame_size(); }

  // Takes the next 10 ms. `threshold` is a mean amplitude, of 32,767.
  std::optional<WordEdge> Process(const int16_t* frame, int threshold);

  // Somebody begins to listen.
  void Reset();

 private:
  static constexpr int kOnset = 3, kHangover = 5;
  static constexpr int kAggressiveness = VoiceDetector::kMaxAggressiveness;
  static constexpr float kPause = 1.0F / 11;     // of the loudest
  static constexpr float kLoudestFades = 0.99F;  // a tick: 9 dB a second
  static constexpr float kOverNoise = 2.24F;     // 7 dB
  static constexpr int kFirstNoise = 10;         // ticks
  static constexpr float kNoiseFalls = 0.1F;     // of the difference, a tick
  static constexpr float kNoiseRises = 1.004F;   // a tick: 3.5 dB a second
  static constexpr float kNoiseRisesInWords = 1.002F;

  void LearnNoise(float level);

  VoiceDetector voice_;
  SpeechGate gate_;
  float loudest_ = 0, noise_ = 0;
  int ticks_ = 0;  // up to kFirstNoise
};

}  // namespace telnyx
