// When each side of a call begins and ends to sound, on one time line: that of what is sent.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "audio/loudness.h"

namespace telnyx {

// How turns are told apart. Times are in ticks of 10 ms.
struct alignas(8) TurnSettings {
  uint16_t enabled = 0;
  uint16_t hangover = 40;   // silence before a turn is over
  uint16_t dead_air = 500;  // silence of both that is told of
};

struct TurnEdge {
  enum Kind : uint8_t { kRemoteEnds, kRemoteBegins, kLocalEnds, kLocalBegins, kDeadAir };
  Kind kind;
  uint64_t samples_ago;  // from the end of this tick back to where it was
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
  // What was received in this tick, if anything was; whether it is speech, and how many ticks of that count now.
  void Received(const int16_t* frame, size_t size) { received_ = FrameSound::Of(frame, size); }
  void Heard(bool speech, int onset) {
    speech_ = speech;
    onset_ = onset;
  }

  // Ends the tick with what is sent in it; `tell` takes each TurnEdge.
  template <typename Tell>
  void Sent(const int16_t* frame, size_t size, const TurnSettings& settings, Tell&& tell) {
    const FrameSound heard = std::exchange(received_, {}), said = FrameSound::Of(frame, size);
    const bool speech = std::exchange(speech_, false);
    const bool loud = noise_.IsLoud(heard.mean_square), audible = said.mean_square > FrameSound::kAudible;
    const auto remote = remote_.Update(speech, loud, heard, size, onset_, settings.hangover);
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
  int onset_ = 1;
};

}  // namespace telnyx
