// When each side of a call begins and ends to sound, on one time line: that of what is sent.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

namespace telnyx {

// How turns are told apart. Times are in ticks of 10 ms.
struct alignas(8) TurnSettings {
  uint16_t enabled = 0;
  uint16_t onset = 6;       // speech of the remote party, less pauses, before it counts
  uint16_t hangover = 40;   // silence before a turn is over
  uint16_t dead_air = 500;  // silence of both that is told of
};

struct TurnEdge {
  enum Kind : uint8_t { kRemoteEnds, kRemoteBegins, kLocalEnds, kLocalBegins, kDeadAir };
  Kind kind;
  uint64_t samples_ago;  // from the end of this tick back to where it was
};

// What there is to know of 10 ms of samples.
struct FrameSound {
  static constexpr float kAudible = 3395.0f;  // mean square of -55 dBFS
  static constexpr int kPeak = 60;            // amplitude from which on a sample is a part of what sounds

  float mean_square = 0.0f;
  size_t first = 0, end = 0;  // where it begins to sound in it, and where it does no more

  static FrameSound Of(const int16_t* frame, size_t size) {
    int64_t sum = 0;
    for (size_t i = 0; i < size; ++i) sum += frame[i] * frame[i];
    FrameSound sound{static_cast<float>(sum) / static_cast<float>(size), 0, size};
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

// One side: a detector says late and roughly what counts, and the loudness says when exactly that was.
class SoundEdges {
 public:
  // One tick of `size` samples: whether it counts, and whether it is loud. If a turn has begun or ended, returns how
  // many samples ago, from the end of the tick on.
  std::optional<uint64_t> Update(bool counts, bool loud, const FrameSound& sound, size_t size, int onset,
                                 int hangover) {
    if (loud && run_ == 0) first_ = sound.first;
    if (loud) {
      run_ += 1 + std::exchange(gap_, 0u);
    } else if (run_ > 0 && ++gap_ > kGap) {
      run_ = gap_ = 0;
    }
    if (counts && loud) end_ = sound.end;
    quiet_ = sounds_ && counts && loud ? 0 : quiet_ + 1;
    if (sounds_) {
      if (quiet_ < static_cast<uint32_t>(hangover)) return {};
      sounds_ = false;
      return (quiet_ + uint64_t{1}) * size - end_;
    }
    level_ = counts ? level_ + 1 : std::max(level_ - 1, 0);
    began_ = level_ > 0 ? began_ + 1 : 0;
    if (level_ < onset || run_ == 0) return {};
    const uint32_t ticks = run_ + gap_, most = std::exchange(began_, 0u) + kLookBack;
    sounds_ = true;
    level_ = 0;
    quiet_ = gap_;
    return ticks > most ? uint64_t{most} * size : uint64_t{ticks} * size - first_;
  }

  bool sounds() const { return sounds_; }
  uint32_t quiet() const { return quiet_; }  // ticks since it sounded last

 private:
  static constexpr uint32_t kGap = 3;        // ticks of a pause within what is loud in one go
  static constexpr uint32_t kLookBack = 20;  // ticks that a detector of speech may be late

  bool sounds_ = false;
  int level_ = 0;  // ticks that count, less those that do not
  uint32_t began_ = 0, run_ = 0, gap_ = 0, quiet_ = 0;
  size_t first_ = 0, end_ = 0;  // of the first tick of a run, and of the latest that sounds
};

// Both sides. Of the clock's thread.
class TurnEdges {
 public:
  // What was received in this tick, if anything was, and whether it is speech.
  void Received(const int16_t* frame, size_t size) { received_ = FrameSound::Of(frame, size); }
  void Heard(bool speech) { speech_ = speech; }

  // Ends the tick with what is sent in it; `tell` takes each TurnEdge.
  template <typename Tell>
  void Sent(const int16_t* frame, size_t size, const TurnSettings& settings, Tell&& tell) {
    const FrameSound heard = std::exchange(received_, {}), said = FrameSound::Of(frame, size);
    const bool speech = std::exchange(speech_, false);
    const bool loud = noise_.IsLoud(heard.mean_square), audible = said.mean_square > FrameSound::kAudible;
    const auto remote = remote_.Update(speech, loud, heard, size, settings.onset, settings.hangover);
    const auto local = local_.Update(audible, audible, said, size, 1, settings.hangover);
    if (remote) tell({remote_.sounds() ? TurnEdge::kRemoteBegins : TurnEdge::kRemoteEnds, *remote});
    if (local) tell({local_.sounds() ? TurnEdge::kLocalBegins : TurnEdge::kLocalEnds, *local});
    const uint32_t quiet = std::min(remote_.quiet(), local_.quiet());
    if (!remote_.sounds() && !local_.sounds() && quiet == settings.dead_air)
      tell({TurnEdge::kDeadAir, uint64_t{quiet} * size});
  }

 private:
  LoudnessGate noise_;
  SoundEdges remote_, local_;
  FrameSound received_;
  bool speech_ = false;
};

}  // namespace telnyx
