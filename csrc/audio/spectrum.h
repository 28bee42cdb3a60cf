// The spectrum of a piece of sound.

#pragma once

#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <span>
#include <utility>

namespace telnyx {

// The discrete Fourier transform of kSize real samples under a Hann window, by a complex one of half the size (radix
// 2). Allocates nothing.
template <size_t kSize>
class HannSpectrum {
 public:
  static constexpr size_t kBins = kSize / 2;

  HannSpectrum() {
    for (size_t i = 0; i < kSize; ++i)
      window_[i] =
          static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(i) + 0.5) / kSize));
    for (size_t k = 0; k < kBins; ++k)
      turns_[k] = std::polar(1.0F, static_cast<float>(-2 * std::numbers::pi * static_cast<double>(k) / kSize));
    for (size_t i = 0, reversed = 0; i < kBins; ++i) {
      reversed_[i] = reversed;
      size_t bit = kBins / 2;
      for (; bit != 0 && (reversed & bit) != 0; bit /= 2) reversed ^= bit;
      reversed |= bit;
    }
  }

  // Bins 0 to kBins - 1; a sine of amplitude 1 in the middle of a bin has there a magnitude of kSize / 4.
  void Transform(std::span<const float, kSize> samples, std::array<std::complex<float>, kBins>& bins) {
    for (size_t i = 0; i < kBins; ++i)
      work_[reversed_[i]] = {samples[2 * i] * window_[2 * i], samples[2 * i + 1] * window_[2 * i + 1]};
    for (size_t half = 1; half < kBins; half *= 2)
      for (size_t base = 0; base < kBins; base += 2 * half)
        for (size_t i = 0; i < half; ++i)
          Butterfly(work_[base + i], work_[base + half + i], turns_[i * (kBins / half)]);
    // Even samples were the real part, odd ones the imaginary part.
    bins[0] = work_[0].real() + work_[0].imag();
    for (size_t k = 1; k < kBins; ++k) {
      const std::complex<float> a = work_[k], b = std::conj(work_[kBins - k]);
      const std::complex<float> even = a + b, odd = a - b;
      const std::complex<float> turned = Times(odd, turns_[k]);
      bins[k] = {(even.real() + turned.imag()) / 2, (even.imag() - turned.real()) / 2};
    }
  }

 private:
  // Without the special cases of infinite numbers that operator* has.
  static std::complex<float> Times(std::complex<float> a, std::complex<float> b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }

  static void Butterfly(std::complex<float>& a, std::complex<float>& b, std::complex<float> turn) {
    const std::complex<float> turned = Times(b, turn);
    b = a - turned;
    a += turned;
  }

  std::array<float, kSize> window_;
  std::array<std::complex<float>, kBins> turns_;  // by -2 pi k / kSize
  std::array<size_t, kBins> reversed_;
  std::array<std::complex<float>, kBins> work_;
};

}  // namespace telnyx
