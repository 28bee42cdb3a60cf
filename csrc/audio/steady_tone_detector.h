// Finds tones that keep their frequencies in the sound of a call: those of the network, and the beeps of machines.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "audio/rates.h"
#include "audio/spectrum.h"

namespace telnyx {

// What is known of a tone: of one frequency, or of two.
struct SteadyTone {
  enum Phase : uint8_t { kBegan, kLasts, kEnded };
  Phase phase;
  uint16_t low, high;       // Hz; high is 0 for a single frequency
  uint32_t began_ago;       // ticks
  uint32_t duration_ticks;  // so far, or in all
};

// Every 10 ms a window of 64 ms is looked at, at 8 kHz. A tone is one line, or two, that hold most of the power between
// 125 and 3,750 Hz, and keep their frequencies. These are measured by how far the phases move from one window to the
// next, to about a hertz; lines 40 Hz apart (440 and 480 Hz: a ringback tone) are still two. A tone begins and ends
// where it fills half a window, so its length is known to a tick. Voices do not hold a pitch so still, nor so purely.
class SteadyToneDetector {
 public:
  explicit SteadyToneDetector(int sample_rate)
      : frame_(FrameSize(sample_rate)), factor_(frame_ / kHop), taps_(kTapsPerFactor * factor_), inputs_(taps_.size()) {
    double sum = 0;
    for (size_t i = 0; i < taps_.size(); ++i) {
      const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(taps_.size()) - 0.5;
      const double x = std::numbers::pi * place * kTapsPerFactor;
      taps_[i] = static_cast<float>(std::sin(x) / x * (0.5 + 0.5 * std::cos(2 * std::numbers::pi * place)));
      sum += taps_[i];
    }
    for (float& tap : taps_) tap /= static_cast<float>(sum);
    inputs_.resize(taps_.size() + frame_);
  }

  size_t frame_size() const { return frame_; }

  // Takes the next 10 ms; returns what is new about a tone: that it began (once it is sure), goes on (every kReport
  // ticks for kLongest), or ended.
  std::optional<SteadyTone> Process(const int16_t* frame) {
    Decimate(frame);
    return Follow(Look());
  }

 private:
  static constexpr int kRate = 8000;
  static constexpr size_t kHop = kRate / kTicksPerSecond, kSize = 512;
  static constexpr double kBinWidth = static_cast<double>(kRate) / kSize;
  static constexpr size_t kTapsPerFactor = 8;              // of the filter before decimation
  static constexpr size_t kLowest = 19, kHighest = 150;    // bins where a tone may be: 300 to 2,350 Hz
  static constexpr size_t kBandBegin = 8, kBandEnd = 240;  // bins that count for the share
  static constexpr size_t kLobe = 2;                  // a line under a Hann window is that many bins wide, each side
  static constexpr float kMinShare = 0.70F;           // of the power: noise 4 dB less and more is accepted
  static constexpr float kAlone = 0.88F;              // with that share, one line is all there is
  static constexpr float kMaxTwist = 0.1F;            // 10 dB between the two lines
  static constexpr float kMinPower = 1e-4F;           // of a line: 40 dB under a sine of full scale
  static constexpr double kDrift = 7;                 // Hz that a tone may be off its mean
  static constexpr int kMinHits = 7;                  // windows until it is sure
  static constexpr int kMaxMisses = 2;                // windows without it, then it is over
  static constexpr float kFade = 0.98F;               // of the reference of level, a tick: 9 dB in half a second
  static constexpr int kReport = 25, kLongest = 400;  // ticks

  struct Lines {
    double low = 0, high = 0;  // Hz
    float power = 0;           // of both, 1 for a sine of full scale

    bool any() const { return low > 0; }
  };

  void Decimate(const int16_t* frame) {
    std::move(inputs_.begin() + static_cast<std::ptrdiff_t>(frame_), inputs_.end(), inputs_.begin());
    std::transform(frame, frame + frame_, inputs_.end() - static_cast<std::ptrdiff_t>(frame_),
                   [](int16_t sample) { return static_cast<float>(sample) / 32768; });
    std::move(samples_.begin() + kHop, samples_.end(), samples_.begin());
    for (size_t i = 0; i < kHop; ++i) {
      const float* window = factor_ == 1 ? &inputs_[taps_.size()] + i : &inputs_[(i + 1) * factor_];
      float sum = 0;
      if (factor_ == 1)
        sum = *window;
      else
        for (size_t j = 0; j < taps_.size(); ++j) sum += window[j] * taps_[j];
      samples_[kSize - kHop + i] = sum;
    }
  }

  Lines Look() {
    std::swap(now_, before_);
    float energy = 0;
    for (const float sample : samples_) energy += sample * sample;
    if (energy < kMinPower / 8 * kSize) {  // nothing to be heard
      now_.fill(0);
      return {};
    }
    spectrum_.Transform(samples_, now_);
    std::array<float, kBandEnd + kLobe + 1> power{};
    float total = 0;
    for (size_t k = kBandBegin; k < kBandEnd; ++k) total += power[k] = std::norm(now_[k]);
    const size_t first = Strongest(power, 0);
    const size_t second = Strongest(power, first);
    const float one = LobeOf(power, first, first);
    const bool two = second != 0 && power[second] > kMaxTwist * power[first] && one < kAlone * total;
    const float both = two ? one + LobeOf(power, second, first) : one;
    if (both < kMinShare * total) return {};
    // The window's own power is 3/8, and a real sine has its power twice, in two lines of which one is seen here.
    const float scale = 4.0F / (3.0F / 8 * kSize * kSize);
    Lines lines{Frequency(first), 0, both * scale};
    if (lines.power < kMinPower) return {};
    if (two) {
      lines.high = Frequency(second);
      if (lines.high < lines.low) std::swap(lines.low, lines.high);
    }
    return lines;
  }

  // The highest local maximum, apart from the lobe of another; 0 if there is none.
  size_t Strongest(std::span<const float> power, size_t other) const {
    size_t best = 0;
    for (size_t k = kLowest; k <= kHighest; ++k) {
      if (other != 0 && k + kLobe > other && k < other + kLobe) continue;
      if (power[k] > power[best] && power[k] >= power[k - 1] && power[k] >= power[k + 1]) best = k;
    }
    return best;
  }

  // The power around a line that is not already counted for another one.
  static float LobeOf(std::span<const float> power, size_t line, size_t other) {
    float sum = 0;
    for (size_t k = line - kLobe; k <= line + kLobe; ++k)
      if (line == other || k + kLobe < other || k > other + kLobe) sum += power[k];
    return sum;
  }

  // By the turn of the phase since the window before, which is known up to whole turns: 100 Hz.
  double Frequency(size_t bin) const {
    const double middle = static_cast<double>(bin) * kBinWidth;
    const double turned = std::arg(now_[bin] * std::conj(before_[bin])) / (2 * std::numbers::pi);
    const double off = turned - middle / kTicksPerSecond;
    return middle + (off - std::round(off)) * kTicksPerSecond;
  }

  std::optional<SteadyTone> Follow(const Lines& seen) {
    ++tick_;
    const bool same = length_ > 0 && seen.any() && std::abs(seen.low - mean_.low) < kDrift &&
                      std::abs(seen.high - mean_.high) < kDrift;
    if (sure_) return same && seen.power >= level_ / 4 ? GoOn(seen) : Miss(seen);
    if (!same) {
      Begin(seen);
      return std::nullopt;
    }
    Learn(seen);
    return MakeSure();
  }

  void Begin(const Lines& seen) {
    sure_ = false;
    misses_ = 0;
    length_ = 0;
    level_ = 0;
    if (seen.any()) Learn(seen);
  }

  void Learn(const Lines& seen) {
    powers_[static_cast<size_t>(length_) % powers_.size()] = seen.power;
    level_ = std::max(level_ * kFade, seen.power);
    const double share = 1.0 / std::min(++length_, 16);
    mean_.low += (seen.low - mean_.low) * share;
    mean_.high += (seen.high - mean_.high) * share;
  }

  // It began with the first window that it filled to the half: there the amplitude was half of what it is now.
  std::optional<SteadyTone> MakeSure() {
    const int known = std::min(length_, static_cast<int>(powers_.size()));
    int filled = 0;
    while (filled < known && powers_[static_cast<size_t>(length_ - 1 - filled) % powers_.size()] >= level_ / 4)
      ++filled;
    if (filled < kMinHits) return std::nullopt;
    sure_ = true;
    began_ = tick_ - filled + 1;
    return Tell(SteadyTone::kBegan, tick_);
  }

  std::optional<SteadyTone> GoOn(const Lines& seen) {
    misses_ = 0;
    Learn(seen);
    const int64_t lasted = tick_ - began_;
    if (lasted % kReport != 0 || lasted > kLongest) return std::nullopt;
    return Tell(SteadyTone::kLasts, tick_);
  }

  std::optional<SteadyTone> Miss(const Lines& seen) {
    if (misses_++ == 0) missed_ = tick_;
    if (misses_ < kMaxMisses) return std::nullopt;
    const std::optional<SteadyTone> ended = Tell(SteadyTone::kEnded, missed_);
    Begin(seen);
    return ended;
  }

  // Windows are known by their ends; half a window of the last one is what lies behind.
  SteadyTone Tell(SteadyTone::Phase phase, int64_t until) const {
    constexpr int64_t kHalfWindow = kSize / kHop / 2;
    return {phase, static_cast<uint16_t>(std::lround(mean_.low)), static_cast<uint16_t>(std::lround(mean_.high)),
            static_cast<uint32_t>(tick_ - began_ + kHalfWindow), static_cast<uint32_t>(until - began_)};
  }

  const size_t frame_, factor_;
  std::vector<float> taps_, inputs_;  // of the decimation
  std::array<float, kSize> samples_{};
  HannSpectrum<kSize> spectrum_;
  std::array<std::complex<float>, kSize / 2> now_{}, before_{};
  int64_t tick_ = 0;
  // Of the tone that is followed. Before it is sure, this is a run of windows that look alike.
  bool sure_ = false;
  int length_ = 0, misses_ = 0;
  Lines mean_;
  float level_ = 0;                 // the highest power of late
  std::array<float, 32> powers_{};  // of the last windows
  int64_t began_ = 0, missed_ = 0;  // ticks
};

}  // namespace telnyx
