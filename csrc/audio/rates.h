// The sample rates of a call's audio, and the frames in which it moves.

#pragma once

#include <array>
#include <cstddef>

namespace telnyx {

inline constexpr std::array kSampleRates{8000, 16000, 24000, 32000, 48000};
inline constexpr int kMaxSampleRate = kSampleRates.back();

// A tick of the media clock moves one frame: 10 ms.
inline constexpr int kTicksPerSecond = 100;
inline constexpr size_t kMaxFrame = kMaxSampleRate / kTicksPerSecond;

// Samples in a frame at a rate.
constexpr size_t FrameSize(int sample_rate) { return static_cast<size_t>(sample_rate / kTicksPerSecond); }

}  // namespace telnyx
