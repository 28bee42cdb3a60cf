// What an application hears of a call besides its samples: keys, tones, speech, and taps on both directions.

#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "audio/rates.h"
#include "audio/spsc_ring.h"
#include "audio/tap_ring.h"
#include "audio/turn_edges.h"

namespace telnyx {

// Something that was heard in the received audio.
struct Notice {
  enum Kind : uint8_t {
    kKeyEvent,  // a DTMF key that came as telephone-events; value: the key
    kKeyTone,   // a DTMF key that was found in the sound; value: the key
    kSpeech,    // value: 1 when somebody begins to speak, 0 when they have stopped
    kTurn,      // value: TurnEdge::Kind; its position is in samples that were sent since the call began
    kWord,      // value: 1 when a word begins, 0 when it has ended
    kTone,      // a steady tone; value: its SteadyTone::Phase
  };
  Kind kind;
  char value;
  uint32_t duration_ms;        // of a key or a tone
  uint64_t position;           // where it began, in received samples since the call began
  uint16_t low = 0, high = 0;  // Hz, of a tone; high is 0 if it has a single frequency
};

// How speech is told from the rest. Times are in ticks of 10 ms.
struct alignas(8) VoiceSettings {
  uint8_t enabled : 1 = 0;
  uint8_t aggressiveness : 2 = 2;  // 0 to 3, see VoiceDetector
  uint8_t echo_loss = 0;           // dB below what is sent, under which what is heard is its echo; 0: nothing is
  uint16_t onset = 6;              // speech, less pauses, before it counts
  uint16_t barge_in = 6;           // the same while something is sent
  uint16_t hangover = 40;          // silence before it is over
};

// How words are told from pauses.
struct alignas(4) WordSettings {
  uint16_t enabled = 0;
  uint16_t threshold = 0;  // the least mean amplitude of a word, of 32,767
};

// Threads: one application thread takes notices and settings come from any; one clock thread does the rest.
class AudioMonitor {
 public:
  explicit AudioMonitor(size_t tap_capacity) : taps_(tap_capacity) {}

  // --- the application's side --------------------------------------------------------------------------------

  TapRing& taps() { return taps_; }
  std::optional<Notice> TakeNotice() { return notices_.Pop(); }
  uint64_t lost_notices() const { return lost_notices_.load(std::memory_order_relaxed); }

  void set_tones(bool wanted) { tones_.store(wanted, std::memory_order_relaxed); }
  bool tones() const { return tones_.load(std::memory_order_relaxed); }
  void set_voice(VoiceSettings settings) { voice_.store(settings, std::memory_order_relaxed); }
  VoiceSettings voice() const { return voice_.load(std::memory_order_relaxed); }
  void set_words(WordSettings settings) { words_.store(settings, std::memory_order_relaxed); }
  WordSettings words() const { return words_.load(std::memory_order_relaxed); }
  void set_steady_tones(bool wanted) { steady_tones_.store(wanted, std::memory_order_relaxed); }
  bool steady_tones() const { return steady_tones_.load(std::memory_order_relaxed); }

  void set_turns(TurnSettings settings) { turns_.store(settings, std::memory_order_relaxed); }

  // --- the clock's side --------------------------------------------------------------------------------------

  // Beyond kMaxNotices that nobody took, the notice is counted and dropped.
  void Notify(const Notice& notice) {
    if (!notices_.Push(notice)) lost_notices_.fetch_add(1, std::memory_order_relaxed);
    noticed_ = true;
  }

  // Whether there is something new since this was asked last.
  bool TakeNoticed() { return std::exchange(noticed_, false); }

  // What arrived in this tick, if anything did, and then what leaves in it.
  void Received(const int16_t* frame, size_t size) {
    if (follows_turns_) edges_.Received(frame, size);
    if (!taps_.has_readers() || size > kMaxFrame) return;
    std::copy_n(frame, size, received_.begin());
    has_received_ = true;
  }
  void Sent(const int16_t* frame, size_t size) {
    if (taps_.has_readers()) taps_.Write(has_received_ ? received_.data() : kSilence.data(), frame, size);
    has_received_ = false;
    FollowTurns(frame, size);
  }

  // Whether what was received in this tick is speech, and how many ticks of it, less pauses, count now.
  void Heard(bool speech, int onset) { edges_.Heard(speech, onset); }

 private:
  static constexpr size_t kMaxNotices = 64;
  static constexpr std::array<int16_t, kMaxFrame> kSilence{};
  static_assert(std::atomic<VoiceSettings>::is_always_lock_free);
  static_assert(std::atomic<TurnSettings>::is_always_lock_free);

  void FollowTurns(const int16_t* frame, size_t size) {
    sent_ += size;
    const TurnSettings settings = turns_.load(std::memory_order_relaxed);
    if (settings.enabled == 0) {
      if (std::exchange(follows_turns_, false)) edges_ = {};
      return;
    }
    follows_turns_ = true;
    edges_.Sent(frame, size, settings, [this](const TurnEdge& edge) {
      Notify({Notice::kTurn, static_cast<char>(edge.kind), 0, sent_ - std::min(sent_, edge.samples_ago)});
    });
  }
  static_assert(std::atomic<WordSettings>::is_always_lock_free);

  TapRing taps_;
  SpscRing<Notice, kMaxNotices> notices_;
  std::atomic<uint64_t> lost_notices_{0};
  std::atomic<bool> tones_{false};
  std::atomic<VoiceSettings> voice_{VoiceSettings{}};
  std::atomic<TurnSettings> turns_{TurnSettings{}};
  std::atomic<bool> steady_tones_{false};
  std::atomic<WordSettings> words_{WordSettings{}};
  // Of the clock.
  bool noticed_ = false;
  bool has_received_ = false;
  bool follows_turns_ = false;
  uint64_t sent_ = 0;  // samples since the call began
  TurnEdges edges_;
  std::array<int16_t, kMaxFrame> received_;
};

}  // namespace telnyx
