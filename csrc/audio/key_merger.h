// One key press is one key, also when it comes as a telephone-event and as a sound.

#pragma once

#include <array>
#include <cstdint>

namespace telnyx {

// Who sends telephone-events may send the tones as well, and libwebrtc's jitter buffer plays a tone for each event. So
// tones do not count around telephone-events. A gateway that makes events of tones is later than they are: then an
// event of the same key does not count, once for each tone. Times are in ticks of 10 ms.
class KeyMerger {
 public:
  // A telephone-event is being received.
  void OnEventPacket(int64_t tick) { last_event_ = tick; }

  // Whether a key counts that was let go now.
  bool AcceptEvent(char key, int64_t tick) {
    int64_t& tone = last_tone_[static_cast<uint8_t>(key) % last_tone_.size()];
    const bool repeated = tick - tone < kTogether;
    tone = kNever;
    return !repeated;
  }
  bool AcceptTone(char key, int64_t tick) {
    if (tick - last_event_ < kTogether) return false;
    last_tone_[static_cast<uint8_t>(key) % last_tone_.size()] = tick;
    return true;
  }

 private:
  static constexpr int64_t kTogether = 100;
  static constexpr int64_t kNever = -kTogether;

  int64_t last_event_ = kNever;
  std::array<int64_t, 128> last_tone_ = [] {
    std::array<int64_t, 128> never{};
    never.fill(kNever);
    return never;
  }();
};

}  // namespace telnyx
