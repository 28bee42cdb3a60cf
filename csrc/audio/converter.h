// Makes of audio as somebody has it what a call plays: its rate, its volume, its fades.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "audio/encodings.h"
#include "audio/fade.h"
#include "audio/resampler.h"

namespace telnyx {

// Of one thread. What needs no conversion comes out as it went in.
class Converter {
 public:
  // Rates in Hz; fades in samples of the output.
  Converter(int from_rate, int to_rate, float volume, size_t fade_in, size_t fade_out)
      : volume_(volume), fade_in_(fade_in), fade_out_(fade_out) {
    if (from_rate != to_rate) resampler_ = std::make_unique<Resampler>(from_rate, to_rate);
  }

  // Takes the next samples. As many outputs as the fade-out has are kept back until Finish.
  void Feed(Encoding encoding, const void* pcm, size_t samples) {
    if (resampler_) {
      inputs_.clear();
      for (size_t i = 0; i < samples; ++i) inputs_.push_back(ValueAt(encoding, pcm, i));
      resampler_->Push(inputs_.data(), samples, [this](float sample) { Emit(sample); });
    } else {
      for (size_t i = 0; i < samples; ++i) Emit(ValueAt(encoding, pcm, i));
    }
  }

  // There is no more: what is left is ready, and fades out.
  void Finish() {
    if (resampler_) resampler_->Finish([this](float sample) { Emit(sample); });
    const size_t fading = std::min(fade_out_, outputs_.size());
    int16_t* const tail = outputs_.data() + outputs_.size() - fading;
    for (size_t i = 0; i < fading; ++i)
      tail[i] = ToSample(static_cast<float>(tail[i]) * static_cast<float>(fading - 1 - i) / static_cast<float>(fading));
    fade_out_ = 0;
  }

  // What is ready; Drop takes it away.
  size_t Ready() const { return outputs_.size() - std::min(fade_out_, outputs_.size()); }
  const int16_t* data() const { return outputs_.data(); }
  void Drop(size_t samples) { outputs_.erase(outputs_.begin(), outputs_.begin() + static_cast<ptrdiff_t>(samples)); }

 private:
  void Emit(float sample) {
    float gain = volume_;
    if (emitted_ < fade_in_) gain *= static_cast<float>(++emitted_) / static_cast<float>(fade_in_);
    outputs_.push_back(ToSample(sample * gain));
  }

  std::unique_ptr<Resampler> resampler_;
  const float volume_;
  const size_t fade_in_;
  size_t fade_out_;
  size_t emitted_ = 0;  // up to the end of the fade-in
  std::vector<float> inputs_;
  std::vector<int16_t> outputs_;
};

}  // namespace telnyx
