// Makes of ten milliseconds that are speech or not a beginning and an end.

#pragma once

#include <algorithm>

namespace telnyx {

// Speech begins when there was more of it than pauses for the onset, and ends after a hangover without any.
class SpeechGate {
 public:
  // One tick; whether somebody is speaking now.
  bool Update(bool speech, int onset, int hangover) {
    if (speaking_) {
      ticks_ = speech ? 0 : ticks_ + 1;
      speaking_ = ticks_ < hangover;
      if (!speaking_) level_ = 0;
    } else {
      level_ = speech ? level_ + 1 : std::max(level_ - 1, 0);
      ticks_ = level_ > 0 ? ticks_ + 1 : 0;
      speaking_ = level_ >= onset;
    }
    return speaking_;
  }
  bool speaking() const { return speaking_; }
  int ticks() const { return ticks_; }  // since the last change may have begun: of speech, or of silence

 private:
  bool speaking_ = false;
  int level_ = 0;
  int ticks_ = 0;
};

}  // namespace telnyx
