// Finds DTMF keys (ITU-T Q.23) in the sound of a call, within the limits of ITU-T Q.24.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "audio/rates.h"

namespace telnyx {

// A key that was pressed and let go.
struct KeyPress {
  char key;
  uint32_t duration_ms;
};

// Every 10 ms a Hann window of 20 ms is looked at through the eight frequencies of Q.23 (Goertzel). The strongest of
// each group makes a key if both are loud enough, are alike in level (twist), have most of the window's power between
// them, and keep their frequency. The frequency is measured by how far the phase moves from one window to the next:
// that tells 1.5 % off, which Q.24 wants accepted, from 3.5 % off, which it wants refused, and a tone from a voice.
class DtmfDetector {
 public:
  explicit DtmfDetector(int sample_rate) : frame_(FrameSize(sample_rate)), window_(2 * frame_), samples_(2 * frame_) {
    for (size_t i = 0; i < window_.size(); ++i) {
      window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * kPi * (i + 0.5) / static_cast<double>(window_.size())));
      window_sum_ += window_[i];
      window_energy_ += window_[i] * window_[i];
    }
    for (size_t k = 0; k < kTones; ++k) {
      const double radians = 2 * kPi * kFrequencies[k] / sample_rate;  // a sample
      tones_[k].coefficient = static_cast<float>(2 * std::cos(radians));
      tones_[k].back = std::polar(1.0F, static_cast<float>(-radians));
      tones_[k].hop = std::polar(1.0, -radians * static_cast<double>(frame_));
    }
  }

  size_t frame_size() const { return frame_; }

  // Whether a key sounds; known from its second window on.
  bool sounding() const { return hits_ >= 2; }

  // Takes the next 10 ms; returns the key that was let go in them, if one was.
  std::optional<KeyPress> Process(const int16_t* frame) {
    std::copy(samples_.begin() + static_cast<std::ptrdiff_t>(frame_), samples_.end(), samples_.begin());
    std::transform(frame, frame + frame_, samples_.begin() + static_cast<std::ptrdiff_t>(frame_),
                   [](int16_t sample) { return static_cast<float>(sample) / 32768; });
    return Follow(Look());
  }

 private:
  static constexpr double kPi = 3.14159265358979323846;
  static constexpr size_t kGroup = 4, kTones = 2 * kGroup;
  static constexpr std::array<double, kTones> kFrequencies{697, 770, 852, 941, 1209, 1336, 1477, 1633};
  static constexpr char kKeys[] = "123A456B789C*0#D";
  static constexpr char kNone = 0;

  // Q.24, annex A. A tone of 0 dBFS is 3.14 dBm0; a key of -29 dBm need not, one of -24 dBm must be heard.
  static constexpr float kMinPower = 2.5e-4F;     // of a tone: 36 dB under a sine of full scale
  static constexpr float kMaxHighTwist = 3.98F;   // 6 dB: the high group louder (Q.24: 4 dB are accepted)
  static constexpr float kMaxLowTwist = 10.0F;    // 10 dB: the low group louder (Q.24: 8 dB are accepted)
  static constexpr float kMinShare = 0.80F;       // of the window's power: noise of 12 dB less and more is accepted
  static constexpr double kMaxDeviation = 0.026;  // of the frequency, between 1.5 % + 2 Hz and 3.5 %
  static constexpr int kMinHits = 3;              // windows: 40 ms give three, 23 ms do not
  static constexpr int kMaxMisses = 2;            // windows: a break of 10 ms misses two, one of 40 ms four

  struct Tone {
    float coefficient;
    std::complex<float> back;
    std::complex<double> hop;     // turns back what a tone of exactly this frequency turns between two windows
    std::complex<double> before;  // the window before
    std::complex<double> now;
  };

  char Look() {
    float energy = 0;
    std::array<float, kTones> s1{}, s2{};
    for (size_t i = 0; i < samples_.size(); ++i) {
      const float sample = samples_[i] * window_[i];
      energy += sample * sample;
      for (size_t k = 0; k < kTones; ++k) {
        const float s0 = sample + tones_[k].coefficient * s1[k] - s2[k];
        s2[k] = s1[k];
        s1[k] = s0;
      }
    }
    for (size_t k = 0; k < kTones; ++k) {
      tones_[k].before = tones_[k].now;
      tones_[k].now = std::complex<double>(s1[k] - s2[k] * tones_[k].back);
    }
    const size_t low = Strongest(0), high = Strongest(kGroup);
    const double low_off = Deviation(low), high_off = Deviation(high);
    if (std::abs(low_off) > kMaxDeviation * kFrequencies[low]) return kNone;
    if (std::abs(high_off) > kMaxDeviation * kFrequencies[high]) return kNone;
    const float low_power = Power(low, low_off), high_power = Power(high, high_off);
    if (low_power < kMinPower || high_power < kMinPower) return kNone;
    if (high_power > kMaxHighTwist * low_power || low_power > kMaxLowTwist * high_power) return kNone;
    if (low_power + high_power < kMinShare * 2 * energy / window_energy_) return kNone;
    return kKeys[low * kGroup + high - kGroup];
  }

  size_t Strongest(size_t group) const {
    size_t best = group;
    for (size_t k = group + 1; k < group + kGroup; ++k)
      if (std::norm(tones_[k].now) > std::norm(tones_[best].now)) best = k;
    return best;
  }

  // How far a tone is from its frequency, in Hz.
  double Deviation(size_t k) const {
    return std::arg(tones_[k].now * std::conj(tones_[k].before) * tones_[k].hop) * 100 / (2 * kPi);
  }

  // Power of a tone, 1 for full scale, from what a window shows of it that far off the filter's middle.
  float Power(size_t k, double off) const {
    const double bins = off * 0.02;
    const double x = kPi * bins;
    const double seen = std::abs(x) < 1e-6 ? 1 : std::sin(x) / x / (1 - bins * bins);
    const double amplitude = 2 * std::abs(tones_[k].now) / window_sum_ / seen;
    return static_cast<float>(amplitude * amplitude);
  }

  std::optional<KeyPress> Follow(char seen) {
    if (seen != kNone && seen == key_) {
      hits_ += 1 + std::exchange(misses_, 0);
      return std::nullopt;
    }
    if (seen == kNone && key_ != kNone && ++misses_ <= kMaxMisses) return std::nullopt;
    const KeyPress press{key_, static_cast<uint32_t>(10 * (hits_ + 1))};
    key_ = seen;
    hits_ = seen != kNone ? 1 : 0;
    misses_ = 0;
    return press.key != kNone && press.duration_ms > 10 * kMinHits ? std::optional(press) : std::nullopt;
  }

  const size_t frame_;
  std::vector<float> window_, samples_;
  float window_sum_ = 0, window_energy_ = 0;
  std::array<Tone, kTones> tones_{};
  char key_ = kNone;  // seen in the last windows
  int hits_ = 0, misses_ = 0;
};

}  // namespace telnyx
