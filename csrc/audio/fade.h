// Gains that change without a click.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace telnyx {

// The nearest 16-bit sample.
inline int16_t ToSample(float value) {
  return static_cast<int16_t>(std::lrintf(std::clamp(value, -32768.0f, 32767.0f)));
}

// Adds what is left of a sound that was cut off: its last sample goes to zero.
inline void DieAway(int16_t last, int16_t* frame, size_t samples) {
  const float step = static_cast<float>(last) / static_cast<float>(samples);
  for (size_t i = 0; i < samples; ++i)
    frame[i] = ToSample(static_cast<float>(frame[i]) + static_cast<float>(last) - step * static_cast<float>(i + 1));
}

// A gain that goes from one value to another in the course of one frame.
class Fade {
 public:
  explicit Fade(float gain = 0.0f) : gain_(gain), target_(gain) {}

  void set_gain(float gain) { target_ = gain; }
  void set_on(bool on) { target_ = on ? 1.0f : 0.0f; }
  bool silent() const { return gain_ == 0.0f && target_ == 0.0f; }

  void Apply(float* frame, size_t samples) {
    Ramp(samples, [frame](size_t i, float gain) { frame[i] *= gain; });
  }
  void Apply(int16_t* frame, size_t samples) {
    Ramp(samples, [frame](size_t i, float gain) { frame[i] = ToSample(static_cast<float>(frame[i]) * gain); });
  }

 private:
  template <typename Scale>
  void Ramp(size_t samples, Scale scale) {
    if (gain_ == 1.0f && target_ == 1.0f) return;
    const float step = (target_ - gain_) / static_cast<float>(samples);
    for (size_t i = 0; i < samples; ++i) scale(i, gain_ + step * static_cast<float>(i + 1));
    gain_ = target_;
  }

  float gain_;
  float target_;
};

}  // namespace telnyx
