// How samples are written down outside: 16-bit, float, and the 8 bits of G.711.

#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace telnyx {

enum class Encoding : int { kInt16, kFloat32, kUlaw, kAlaw };

inline size_t WidthOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kInt16:
      return sizeof(int16_t);
    case Encoding::kFloat32:
      return sizeof(float);
    default:
      return sizeof(uint8_t);
  }
}

// Full scale is 1.0. What is not a number is silence.
inline int16_t SampleOf(float value) {
  const float scaled = value * 32768.0f;
  if (!(scaled > -32768.0f)) return scaled <= -32768.0f ? -32768 : 0;
  return static_cast<int16_t>(std::lrintf(std::min(scaled, 32767.0f)));
}

// ITU-T G.711. The 16-bit sample is rounded down to the 14 bits of the u-law and the 13 of the A-law, as in the
// reference of G.191.

inline uint8_t UlawOf(int16_t sample) {
  constexpr int kBias = 33, kClip = 8159;
  int value = sample >> 2;
  const int mask = value < 0 ? 0x7F : 0xFF;
  value = std::min(std::abs(value), kClip) + kBias;
  const int segment = static_cast<int>(std::bit_width(static_cast<unsigned>(value))) - 6;
  if (segment >= 8) return static_cast<uint8_t>(0x7F ^ mask);
  return static_cast<uint8_t>(((segment << 4) | ((value >> (segment + 1)) & 0xF)) ^ mask);
}

inline int16_t SampleOfUlaw(uint8_t code) {
  constexpr int kBias = 0x84;
  code = static_cast<uint8_t>(~code);
  const int value = (((code & 0xF) << 3) + kBias) << ((code & 0x70) >> 4);
  return static_cast<int16_t>((code & 0x80) != 0 ? kBias - value : value - kBias);
}

inline uint8_t AlawOf(int16_t sample) {
  int value = sample >> 3;
  const int mask = value >= 0 ? 0xD5 : 0x55;
  if (value < 0) value = -value - 1;
  const int segment = std::max(static_cast<int>(std::bit_width(static_cast<unsigned>(value))) - 5, 0);
  return static_cast<uint8_t>(((segment << 4) | ((value >> std::max(segment, 1)) & 0xF)) ^ mask);
}

inline int16_t SampleOfAlaw(uint8_t code) {
  code ^= 0x55;
  const int segment = (code & 0x70) >> 4;
  int value = ((code & 0xF) << 4) + (segment == 0 ? 8 : 0x108);
  if (segment > 1) value <<= segment - 1;
  return static_cast<int16_t>((code & 0x80) != 0 ? value : -value);
}

// The sample at an index, wherever in memory it begins, and the other way round.

inline int16_t SampleAt(Encoding encoding, const void* from, size_t index) {
  const auto* const bytes = static_cast<const uint8_t*>(from) + index * WidthOf(encoding);
  switch (encoding) {
    case Encoding::kInt16: {
      int16_t sample;
      std::memcpy(&sample, bytes, sizeof(sample));
      return sample;
    }
    case Encoding::kFloat32: {
      float value;
      std::memcpy(&value, bytes, sizeof(value));
      return SampleOf(value);
    }
    case Encoding::kUlaw:
      return SampleOfUlaw(*bytes);
    case Encoding::kAlaw:
      return SampleOfAlaw(*bytes);
  }
  return 0;
}

// The same as a float, where full scale is 32768, and what is louder is kept.
inline float ValueAt(Encoding encoding, const void* from, size_t index) {
  if (encoding != Encoding::kFloat32) return static_cast<float>(SampleAt(encoding, from, index));
  float value;
  std::memcpy(&value, static_cast<const uint8_t*>(from) + index * sizeof(value), sizeof(value));
  return std::isfinite(value) ? value * 32768.0f : 0.0f;
}

inline void Decode(Encoding encoding, const void* from, size_t samples, int16_t* to) {
  if (encoding == Encoding::kInt16) {
    std::memcpy(to, from, samples * sizeof(int16_t));
  } else {
    for (size_t i = 0; i < samples; ++i) to[i] = SampleAt(encoding, from, i);
  }
}

inline void Encode(Encoding encoding, const int16_t* from, size_t samples, void* to) {
  auto* const bytes = static_cast<uint8_t*>(to);
  switch (encoding) {
    case Encoding::kInt16:
      std::memcpy(to, from, samples * sizeof(int16_t));
      break;
    case Encoding::kFloat32:
      for (size_t i = 0; i < samples; ++i) {
        const float value = static_cast<float>(from[i]) / 32768.0f;
        std::memcpy(bytes + i * sizeof(value), &value, sizeof(value));
      }
      break;
    case Encoding::kUlaw:
      std::transform(from, from + samples, bytes, UlawOf);
      break;
    case Encoding::kAlaw:
      std::transform(from, from + samples, bytes, AlawOf);
      break;
  }
}

}  // namespace telnyx
