// Changes the sample rate of a signal that comes in pieces.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

namespace telnyx {

// A polyphase windowed sinc: for each place that an output can have between two inputs there is a filter. The output is
// not delayed against the input; it only comes later, by half the filter's length.
class Resampler {
 public:
  // Rates in Hz. Filters are made when they are first needed.
  Resampler(int from, int to) : up_(to / std::gcd(from, to)), down_(from / std::gcd(from, to)) {
    cutoff_ = kPassband * std::min(1.0, static_cast<double>(to) / from);
    half_ = static_cast<int64_t>(std::ceil(kHalfWidth / cutoff_));
    kernels_.resize(static_cast<size_t>(up_));
    Begin();
  }

  // For a signal that never ends and comes in pieces of `piece` samples, which are a whole number of outputs: every
  // piece gives as many, delayed by half the filter's length; nothing is allocated any more.
  static Resampler Live(int from, int to, size_t piece) {
    Resampler resampler(from, to);
    for (size_t phase = 0; phase < resampler.kernels_.size(); ++phase) resampler.Kernel(phase);
    resampler.inputs_.reserve(static_cast<size_t>(3 * resampler.half_ + resampler.down_) + piece);
    resampler.inputs_.insert(resampler.inputs_.end(), static_cast<size_t>(resampler.half_), 0.0f);
    return resampler;
  }

  // Takes the next inputs; calls `emit` with each output that they complete.
  template <typename Emit>
  void Push(const float* inputs, size_t count, Emit emit) {
    inputs_.insert(inputs_.end(), inputs, inputs + count);
    received_ += static_cast<int64_t>(count);
    Produce(INT64_MAX, emit);
  }

  // The signal is over: emits the rest, so that it lasts as long as it did. Then another one may begin.
  template <typename Emit>
  void Finish(Emit emit) {
    inputs_.insert(inputs_.end(), static_cast<size_t>(half_ + down_), 0.0f);
    Produce((received_ * up_ + down_ - 1) / down_, emit);
    Begin();
  }

 private:
  static constexpr double kHalfWidth = 24;   // zero crossings of the sinc on either side of its centre
  static constexpr double kBeta = 9.0;       // of the Kaiser window: about 90 dB of stop-band attenuation
  static constexpr double kPassband = 0.94;  // share of the lower Nyquist frequency that is kept

  // What comes first is preceded by silence.
  void Begin() {
    start_ = 1 - half_;
    inputs_.assign(static_cast<size_t>(half_ - 1), 0.0f);
    received_ = produced_ = 0;
  }

  // Outputs up to the one before `end`, as far as there are inputs.
  template <typename Emit>
  void Produce(int64_t end, Emit emit) {
    const int64_t inputs_end = start_ + static_cast<int64_t>(inputs_.size());
    int64_t base = produced_ * down_ / up_;
    while (produced_ < end && base + half_ < inputs_end) {
      const std::vector<float>& kernel = Kernel(static_cast<size_t>(produced_ * down_ % up_));
      emit(Dot(kernel.data(), &inputs_[static_cast<size_t>(base + 1 - half_ - start_)], kernel.size()));
      base = ++produced_ * down_ / up_;
    }
    const int64_t used = std::min(base + 1 - half_, inputs_end) - start_;
    if (used <= 0) return;
    inputs_.erase(inputs_.begin(), inputs_.begin() + used);
    start_ += used;
  }

  static float Dot(const float* a, const float* b, size_t size) {  // which is even
    float even = 0.0f, odd = 0.0f;
    for (size_t i = 0; i < size; i += 2) {
      even += a[i] * b[i];
      odd += a[i + 1] * b[i + 1];
    }
    return even + odd;
  }

  // The filter for an output that lies `phase` / up_ of a sample behind input half_ - 1 of its window.
  const std::vector<float>& Kernel(size_t phase) {
    std::vector<float>& kernel = kernels_[phase];
    if (!kernel.empty()) return kernel;
    const double fraction = static_cast<double>(phase) / static_cast<double>(up_);
    std::vector<double> values;
    for (int64_t i = 0; i < 2 * half_; ++i) {
      const double distance = static_cast<double>(i - (half_ - 1)) - fraction;
      const double place = distance / static_cast<double>(half_);
      values.push_back(Sinc(distance * cutoff_) * Bessel(kBeta * std::sqrt(std::max(0.0, 1 - place * place))));
    }
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    for (const double value : values) kernel.push_back(static_cast<float>(value / sum));
    return kernel;
  }

  static double Sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

  // The modified Bessel function of order 0, by its series; the Kaiser window but for a factor.
  static double Bessel(double x) {
    double term = 1, sum = 1;
    for (int k = 1; term > 1e-12 * sum; ++k) {
      term *= (x / 2 / k) * (x / 2 / k);
      sum += term;
    }
    return sum;
  }

  const int64_t up_, down_;
  double cutoff_;
  int64_t half_;
  std::vector<std::vector<float>> kernels_;  // by phase
  std::vector<float> inputs_;                // from start_ on
  int64_t start_ = 0, received_ = 0, produced_ = 0;
};

}  // namespace telnyx
