// How loud audio is.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace telnyx {

inline float MeanSquare(const int16_t* samples, size_t count) {
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += samples[i] * samples[i];
  return static_cast<float>(sum) / static_cast<float>(count);
}

// How loud one direction is: the mean square of its samples, over about a tenth of a second.
class Level {
 public:
  float mean_square() const { return mean_square_.load(std::memory_order_relaxed); }

  void Update(const int16_t* frame, size_t size) {
    const float before = mean_square();
    mean_square_.store(before + (MeanSquare(frame, size) - before) * kShare, std::memory_order_relaxed);
  }

 private:
  static constexpr float kShare = 0.1f;

  std::atomic<float> mean_square_{0.0f};
};

// What there is to know of 10 ms of samples.
struct FrameSound {
  static constexpr float kAudible = 3395.0f;  // mean square of -55 dBFS
  static constexpr int kPeak = 60;            // amplitude from which on a sample is a part of what sounds

  float mean_square = 0.0f;
  size_t first = 0, end = 0;  // where it begins to sound in it, and where it does no more

  static FrameSound Of(const int16_t* frame, size_t size) {
    FrameSound sound{MeanSquare(frame, size), 0, size};
    if (sound.mean_square <= kAudible) return sound;
    while (sound.first < size && std::abs(frame[sound.first]) < kPeak) ++sound.first;
    while (sound.end > sound.first && std::abs(frame[sound.end - 1]) < kPeak) --sound.end;
    return sound;
  }
};

// What is louder than the noise behind it. The noise is learnt: it falls with what is heard, and rises slowly.
class LoudnessGate {
 public:
  bool IsLoud(float mean_square) {
    noise_ = mean_square < noise_ ? noise_ + (mean_square - noise_) * kFall : std::min(noise_ * kRise, kMostNoise);
    noise_ = std::max(noise_, kLeastNoise);
    return mean_square > std::max(FrameSound::kAudible, noise_ * kAboveNoise);
  }

 private:
  static constexpr float kFall = 0.2f;
  static constexpr float kRise = 1.005f;           // 2.2 dB a second
  static constexpr float kLeastNoise = 100.0f;     // -70 dBFS
  static constexpr float kMostNoise = 1073741.8f;  // -30 dBFS
  static constexpr float kAboveNoise = 4.0f;       // 6 dB

  float noise_ = kLeastNoise;
};

}  // namespace telnyx
