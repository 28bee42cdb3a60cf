// The meeting point of one call's audio: the application writes and reads here, the media clock ticks here.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "audio/listening.h"
#include "audio/pcm_ring.h"

namespace telnyx {

// Sizes of a port's queues, in samples at `sample_rate`.
struct PortFormat {
  int sample_rate = 16000;   // 8000, 16000, 24000, 32000 or 48000
  size_t playback = 160000;  // how much the application may write ahead
  size_t capture = 160000;   // how much received audio waits for the application; then the oldest is lost
  size_t tap = 160000;       // how far a tap on both directions may fall behind
  size_t max_backlog = 0;    // 0: all that was written is played. Else the oldest beyond this is trimmed (live audio)
};

// What happened at a port since its call began, in samples unless said otherwise.
struct PortCounters {
  uint64_t played = 0;        // handed to the encoder
  uint64_t cleared = 0;       // dropped by Clear
  uint64_t trimmed = 0;       // dropped to keep within max_backlog
  uint64_t silence = 0;       // sent as silence because nothing was queued
  uint64_t underruns = 0;     // how many times playback ran dry (each end of an utterance is one)
  uint64_t captured = 0;      // received and decoded
  uint64_t capture_lost = 0;  // received, but overwritten before the application read it
  uint64_t notices_lost = 0;  // keys and changes of speech that nobody took, a number
};

// Threads: one application thread at a time writes, one reads, any may clear; one clock thread ticks.
// Nothing here blocks or allocates. Mono 16-bit PCM at the port's rate.
class AudioPort {
 public:
  static constexpr int kTicksPerSecond = 100;
  static constexpr size_t kMaxFrame = 48000 / kTicksPerSecond;
  static_assert(kMaxFrame == Listening::kMaxFrame);

  // What the application may wait for; the clock reports each at most once per arming.
  enum Readiness : unsigned { kReadable = 1, kWritable = 2, kDrained = 4, kTapped = 8, kNoticed = 16 };

  explicit AudioPort(const PortFormat& format)
      : format_(format), playback_(format.playback), capture_(format.capture), listening_(format.tap) {}

  int sample_rate() const { return format_.sample_rate; }
  size_t frame_size() const { return static_cast<size_t>(format_.sample_rate / kTicksPerSecond); }

  size_t playback_size() const { return playback_.capacity(); }
  size_t capture_size() const { return capture_.capacity(); }

  // --- the application's side --------------------------------------------------------------------------------

  size_t Write(const int16_t* pcm, size_t count) { return playback_.Write(pcm, count); }
  size_t Read(int16_t* pcm, size_t count) { return capture_.Read(pcm, count); }

  size_t Queued() const { return playback_.Available(); }
  size_t Space() const { return playback_.Space(); }
  size_t Readable() const { return capture_.Available(); }
  uint64_t WritePosition() const { return playback_.write_position(); }
  uint64_t PlayPosition() const { return playback_.read_position(); }
  uint64_t Played() const { return played_.load(std::memory_order_relaxed); }

  // Silences playback from the next tick on; returns how many samples were dropped.
  size_t Clear() {
    const size_t dropped = playback_.SkipTo(playback_.write_position());
    cleared_.fetch_add(dropped, std::memory_order_relaxed);
    return dropped;
  }

  void set_muted(bool muted) { muted_.store(muted, std::memory_order_relaxed); }
  bool muted() const { return muted_.load(std::memory_order_relaxed); }

  // Asks the clock to report when `samples` can be read, can be written, or when playback or what taps see has reached
  // `position`.
  void ArmReadable(size_t samples) { readable_at_.store(samples, std::memory_order_release); }
  void ArmWritable(size_t samples) { writable_at_.store(samples, std::memory_order_release); }
  void ArmDrained(uint64_t position) { drained_at_.store(position, std::memory_order_release); }
  void ArmTapped(uint64_t position) { tapped_at_.store(position, std::memory_order_release); }

  Listening& listening() { return listening_; }

  PortCounters Counters() const {
    PortCounters counters;
    counters.played = Played();
    counters.cleared = cleared_.load(std::memory_order_relaxed);
    counters.trimmed = trimmed_.load(std::memory_order_relaxed);
    counters.silence = silence_.load(std::memory_order_relaxed);
    counters.underruns = underruns_.load(std::memory_order_relaxed);
    counters.captured = Captured();
    counters.capture_lost = capture_lost_.load(std::memory_order_relaxed);
    counters.notices_lost = listening_.lost_notices();
    return counters;
  }

  // --- the clock's side, 100 times a second ------------------------------------------------------------------

  // Fills one frame with what is to be sent now.
  void TakePlayback(int16_t* frame) {
    const size_t size = frame_size();
    TrimBacklog(size);
    const size_t taken = playback_.Read(frame, size);
    std::fill(frame + taken, frame + size, int16_t{0});
    played_.fetch_add(taken, std::memory_order_relaxed);
    silence_.fetch_add(size - taken, std::memory_order_relaxed);
    if (taken < size && was_playing_) underruns_.fetch_add(1, std::memory_order_relaxed);
    was_playing_ = taken == size;
    if (muted()) std::fill(frame, frame + size, int16_t{0});
  }

  // Delivers one received frame.
  void PushCapture(const int16_t* frame, size_t size) {
    captured_.fetch_add(size, std::memory_order_relaxed);
    capture_lost_.fetch_add(capture_.Overwrite(frame, size), std::memory_order_relaxed);
    listening_.Received(frame, size);
  }

  // Ends a tick: the frame that the encoder gets, with all that was mixed into it.
  void Sent(const int16_t* frame) { listening_.Sent(frame, frame_size()); }

  uint64_t Captured() const { return captured_.load(std::memory_order_relaxed); }

  // The armed conditions that now hold; each is disarmed by being returned.
  unsigned TakeReadiness() {
    unsigned ready = 0;
    if (const size_t samples = readable_at_.load(std::memory_order_acquire); samples != 0 && Readable() >= samples) {
      readable_at_.store(0, std::memory_order_relaxed);
      ready |= kReadable;
    }
    if (const size_t samples = writable_at_.load(std::memory_order_acquire); samples != 0 && Space() >= samples) {
      writable_at_.store(0, std::memory_order_relaxed);
      ready |= kWritable;
    }
    if (const uint64_t position = drained_at_.load(std::memory_order_acquire);
        position != 0 && PlayPosition() >= position) {
      drained_at_.store(0, std::memory_order_relaxed);
      ready |= kDrained;
    }
    if (const uint64_t position = tapped_at_.load(std::memory_order_acquire);
        position != 0 && listening_.taps().write_position() >= position) {
      tapped_at_.store(0, std::memory_order_relaxed);
      ready |= kTapped;
    }
    if (listening_.TakeNoticed()) ready |= kNoticed;
    return ready;
  }

 private:
  // Live audio that arrived in a burst is worth less than being on time: keep the newest.
  void TrimBacklog(size_t frame) {
    if (format_.max_backlog == 0) return;
    const size_t limit = std::max(format_.max_backlog, frame);
    const uint64_t end = playback_.write_position();
    if (end > limit) trimmed_.fetch_add(playback_.SkipTo(end - limit), std::memory_order_relaxed);
  }

  const PortFormat format_;
  PcmRing playback_;
  PcmRing capture_;
  Listening listening_;
  std::atomic<bool> muted_{false};
  std::atomic<size_t> readable_at_{0}, writable_at_{0};
  std::atomic<uint64_t> drained_at_{0}, tapped_at_{0};
  bool was_playing_ = false;  // of the clock
  std::atomic<uint64_t> played_{0}, cleared_{0}, trimmed_{0}, silence_{0}, underruns_{0};
  std::atomic<uint64_t> captured_{0}, capture_lost_{0};
};

}  // namespace telnyx
