// Audio that waits to be played, between the application that writes it and the media clock.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "audio/fade.h"
#include "audio/pcm_ring.h"
#include "audio/rates.h"

namespace telnyx {

// Threads: one application thread at a time writes, any may do the rest of its side; one clock thread takes.
class PlaybackQueue {
 public:
  explicit PlaybackQueue(size_t capacity) : ring_(capacity) {}

  // --- the application's side --------------------------------------------------------------------------------

  size_t capacity() const { return ring_.capacity(); }
  size_t Write(const int16_t* pcm, size_t count) { return ring_.Write(pcm, count); }
  size_t Queued() const { return ring_.Available(); }
  size_t Space() const { return ring_.Space(); }
  uint64_t WritePosition() const { return ring_.write_position(); }
  uint64_t PlayPosition() const { return ring_.read_position(); }
  uint64_t Played() const { return played_.load(std::memory_order_relaxed); }

  // Drops what is queued before `position`, from the next tick on; what was sounding dies away in 5 ms. Returns how
  // many samples that were.
  size_t SkipTo(uint64_t position) {
    const size_t dropped = ring_.SkipTo(std::min(position, ring_.write_position()));
    if (dropped > 0) cut_.store(true, std::memory_order_release);
    cleared_.fetch_add(dropped, std::memory_order_relaxed);
    return dropped;
  }
  size_t Clear() { return SkipTo(ring_.write_position()); }

  // Paused, the queue waits; it fades out, and in again, over 10 ms.
  void set_paused(bool paused) { paused_.store(paused, std::memory_order_relaxed); }
  bool paused() const { return paused_.load(std::memory_order_relaxed); }

  void set_volume(float volume) { volume_.store(volume, std::memory_order_relaxed); }
  float volume() const { return volume_.load(std::memory_order_relaxed); }

  // Asks the clock to report when `samples` can be written, or when playback has reached `position`; 0 for not.
  void ArmWritable(size_t samples) { writable_at_.store(samples, std::memory_order_release); }
  void ArmDrained(uint64_t position) { drained_at_.store(position, std::memory_order_release); }

  uint64_t cleared() const { return cleared_.load(std::memory_order_relaxed); }
  uint64_t trimmed() const { return trimmed_.load(std::memory_order_relaxed); }
  uint64_t silence() const { return silence_.load(std::memory_order_relaxed); }
  uint64_t underruns() const { return underruns_.load(std::memory_order_relaxed); }

  // --- the clock's side --------------------------------------------------------------------------------------

  // Live audio that arrived in a burst is worth less than being on time: keeps the newest.
  void Trim(size_t limit) {
    const uint64_t end = ring_.write_position();
    if (end > limit) trimmed_.fetch_add(ring_.SkipTo(end - limit), std::memory_order_relaxed);
  }

  // Fills one frame with what is to be heard now; whether anything is.
  bool Take(int16_t* frame, size_t size) {
    const bool paused = this->paused();
    fade_.set_gain(paused ? 0.0f : volume());
    const size_t taken = paused && halted_ ? 0 : ring_.Read(frame, size);
    halted_ = paused;
    std::fill(frame + taken, frame + size, int16_t{0});
    played_.fetch_add(taken, std::memory_order_relaxed);
    silence_.fetch_add(size - taken, std::memory_order_relaxed);
    if (taken < size && was_playing_ && !paused) underruns_.fetch_add(1, std::memory_order_relaxed);
    was_playing_ = taken == size;
    if (taken > 0) fade_.Apply(frame, size);
    const bool dying = cut_.load(std::memory_order_relaxed) && cut_.exchange(false, std::memory_order_acquire);
    if (dying) DieAway(last_, frame, size / 2);
    last_ = frame[size - 1];
    return taken > 0 || dying;
  }

  // The armed conditions that now hold; each is disarmed by being told.
  bool TakeWritable() {
    const size_t samples = writable_at_.load(std::memory_order_acquire);
    if (samples == 0 || Space() < samples) return false;
    writable_at_.store(0, std::memory_order_relaxed);
    return true;
  }
  bool TakeDrained() {
    const uint64_t position = drained_at_.load(std::memory_order_acquire);
    if (position == 0 || PlayPosition() < position) return false;
    drained_at_.store(0, std::memory_order_relaxed);
    return true;
  }

 private:
  PcmRing ring_;
  std::atomic<bool> paused_{false}, cut_{false};
  std::atomic<float> volume_{1.0f};
  std::atomic<size_t> writable_at_{0};
  std::atomic<uint64_t> drained_at_{0};
  std::atomic<uint64_t> played_{0}, cleared_{0}, trimmed_{0}, silence_{0}, underruns_{0};
  // Of the clock.
  Fade fade_{1.0f};
  bool halted_ = false;
  bool was_playing_ = false;
  int16_t last_ = 0;
};

// A queue beside the one for speech. While there is speech it may be quieter.
class PlaybackLayer : public PlaybackQueue {
 public:
  using PlaybackQueue::PlaybackQueue;

  // How loud it is while there is speech, of its volume.
  void set_ducked(float gain) { ducked_.store(gain, std::memory_order_relaxed); }
  float ducked() const { return ducked_.load(std::memory_order_relaxed); }

  // Of the clock: adds one frame to `sum`; whether there was anything to add.
  bool AddTo(float* sum, size_t size, bool speech) {
    int16_t frame[kMaxFrame];
    const float target = speech ? ducked() : 1.0f;
    const float gain = duck_ + (target - duck_) * (target < duck_ ? kAttack : kRelease);
    const bool any = Take(frame, size);
    if (any) {
      const float step = (gain - duck_) / static_cast<float>(size);
      for (size_t i = 0; i < size; ++i)
        sum[i] += static_cast<float>(frame[i]) * (duck_ + step * static_cast<float>(i + 1));
    }
    duck_ = gain;
    return any;
  }

 private:
  // Shares of the way that are gone in a tick: down in about 50 ms, up in about half a second.
  static constexpr float kAttack = 0.4f, kRelease = 0.06f;

  std::atomic<float> ducked_{1.0f};
  float duck_ = 1.0f;
};

}  // namespace telnyx
