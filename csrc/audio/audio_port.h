// The meeting point of one call's audio: the application writes and reads here, the media clock ticks here.

#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "audio/audio_monitor.h"
#include "audio/fade.h"
#include "audio/packet_ring.h"
#include "audio/pcm_ring.h"
#include "audio/playback_queue.h"
#include "audio/rates.h"

namespace telnyx {

// Sizes of a port's queues, in samples at `sample_rate`.
struct PortFormat {
  int sample_rate = 16000;   // of kSampleRates
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

// Threads: one application thread at a time writes each queue, one reads, any may clear; one clock thread ticks,
// and one network thread pushes packets.
// Nothing here blocks, and nothing allocates but OpenLayer. Mono 16-bit PCM at the port's rate.
class AudioPort {
 public:
  static constexpr size_t kMaxLayers = 4;

  // What the application may wait for; the clock reports each at most once per arming. kLayers is for the queues of
  // all layers together.
  enum Readiness : unsigned {
    kReadable = 1,
    kWritable = 2,
    kDrained = 4,
    kTapped = 8,
    kNoticed = 16,
    kLayers = 32,
    kPackets = 64
  };

  explicit AudioPort(const PortFormat& format)
      : format_(format), voice_(format.playback), capture_(format.capture), monitor_(format.tap) {}

  int sample_rate() const { return format_.sample_rate; }
  size_t frame_size() const { return FrameSize(format_.sample_rate); }

  // --- the application's side --------------------------------------------------------------------------------

  PlaybackQueue& voice() { return voice_; }

  // A queue that is played beside the voice, until it is closed; null if there are kMaxLayers. One application thread
  // at a time.
  PlaybackLayer* OpenLayer() {
    for (size_t i = 0; i < kMaxLayers; ++i)
      if (!layers_[i].open.load(std::memory_order_relaxed)) return Open(layers_[i]);
    return nullptr;
  }

  // One more, which is heard also while the port is muted; null if it is open. For what the law wants to be heard.
  PlaybackLayer* OpenSignal() { return signal().open.load(std::memory_order_relaxed) ? nullptr : Open(signal()); }

  // What it played dies away; the queue may be opened again as another one.
  void CloseLayer(PlaybackLayer* layer) {
    layer->Clear();
    for (Place& place : layers_)
      if (place.layer.get() == layer) place.open.store(false, std::memory_order_release);
  }

  size_t capture_size() const { return capture_.capacity(); }
  size_t Read(int16_t* pcm, size_t count) { return capture_.Read(pcm, count); }
  size_t Readable() const { return capture_.Available(); }

  // Muted, nothing is heard of what is played. What was sounding dies away in 5 ms; it fades in again over 10 ms.
  void set_muted(bool muted) { muted_.store(muted, std::memory_order_relaxed); }
  bool muted() const { return muted_.load(std::memory_order_relaxed); }

  // Deaf, the application reads silence; detectors and taps hear all the same.
  void set_deaf(bool deaf) { deaf_.store(deaf, std::memory_order_relaxed); }
  bool deaf() const { return deaf_.load(std::memory_order_relaxed); }

  // Asks the clock to report when `samples` can be read, or when what taps see, or packets, have reached `position`.
  void ArmReadable(size_t samples) { readable_at_.store(samples, std::memory_order_release); }
  void ArmTapped(uint64_t position) { tapped_at_.store(position, std::memory_order_release); }
  void ArmPackets(uint64_t position) { packets_at_.store(position, std::memory_order_release); }

  AudioMonitor& monitor() { return monitor_; }
  PacketRing& packets() { return packets_; }

  float received_level() const { return received_level_.mean_square(); }
  float sent_level() const { return sent_level_.mean_square(); }

  PortCounters Counters() const {
    PortCounters counters;
    counters.played = voice_.Played();
    counters.cleared = voice_.cleared();
    counters.trimmed = voice_.trimmed();
    counters.silence = voice_.silence();
    counters.underruns = voice_.underruns();
    counters.captured = Captured();
    counters.capture_lost = capture_lost_.load(std::memory_order_relaxed);
    counters.notices_lost = monitor_.lost_notices();
    return counters;
  }

  // --- the network thread's side -----------------------------------------------------------------------------

  // One received packet, of which `head` has all but its place in the call.
  void PushPacket(PacketHead head, const uint8_t* payload, size_t size) {
    if (!packets_.has_readers()) return;
    head.position = Captured();
    packets_.Write(head, payload, size);
  }

  // --- the clock's side, 100 times a second ------------------------------------------------------------------

  // Fills one frame with what the application plays now, before it is muted.
  void TakePlayback(int16_t* frame) {
    const size_t size = frame_size();
    if (format_.max_backlog != 0) voice_.Trim(std::max(format_.max_backlog, size));
    const bool speech = voice_.Take(frame, size);
    AddLayers(0, kMaxLayers, frame, speech);
  }

  void ApplyMute(int16_t* frame) {
    const size_t size = frame_size();
    const bool muted = this->muted();
    if (muted) {
      std::fill(frame, frame + size, int16_t{0});
      if (!was_muted_) DieAway(last_sent_, frame, size / 2);
    } else if (was_muted_) {
      Fade fade(0.0f);
      fade.set_on(true);
      fade.Apply(frame, size);
    }
    was_muted_ = muted;
    last_sent_ = frame[size - 1];
  }

  // After that, what is heard also while muted.
  void AddSignal(int16_t* frame) { AddLayers(kMaxLayers, kMaxLayers + 1, frame, /*speech=*/false); }

  // Delivers one received frame.
  void PushCapture(const int16_t* frame, size_t size) {
    captured_.fetch_add(size, std::memory_order_relaxed);
    const int16_t* heard = deaf() && size <= kMaxFrame ? kSilence.data() : frame;
    capture_lost_.fetch_add(capture_.Overwrite(heard, size), std::memory_order_relaxed);
    received_level_.Update(frame, size);
    monitor_.Received(frame, size);
  }

  // Ends a tick: the frame that the encoder gets, with all that was mixed into it.
  void Sent(const int16_t* frame) {
    sent_level_.Update(frame, frame_size());
    monitor_.Sent(frame, frame_size());
  }

  uint64_t Captured() const { return captured_.load(std::memory_order_relaxed); }

  // The armed conditions that now hold; each is disarmed by being returned.
  unsigned TakeReadiness() {
    unsigned ready = 0;
    if (const size_t samples = readable_at_.load(std::memory_order_acquire); samples != 0 && Readable() >= samples) {
      readable_at_.store(0, std::memory_order_relaxed);
      ready |= kReadable;
    }
    if (voice_.TakeWritable()) ready |= kWritable;
    if (voice_.TakeDrained()) ready |= kDrained;
    for (Place& place : layers_)
      if (place.open.load(std::memory_order_acquire) && (place.layer->TakeWritable() | place.layer->TakeDrained()))
        ready |= kLayers;
    if (const uint64_t position = tapped_at_.load(std::memory_order_acquire);
        position != 0 && monitor_.taps().write_position() >= position) {
      tapped_at_.store(0, std::memory_order_relaxed);
      ready |= kTapped;
    }
    if (const uint64_t position = packets_at_.load(std::memory_order_acquire);
        position != 0 && packets_.write_position() >= position) {
      packets_at_.store(0, std::memory_order_relaxed);
      ready |= kPackets;
    }
    if (monitor_.TakeNoticed()) ready |= kNoticed;
    return ready;
  }

 private:
  // Of a layer. It is made once and used again, so that the clock may use it at any time.
  struct Place {
    std::unique_ptr<PlaybackLayer> layer;
    std::atomic<bool> open{false};
    bool closing = true;  // of the clock: it has played the end of it

    bool sounds() const { return open.load(std::memory_order_acquire) || !closing; }
  };

  Place& signal() { return layers_[kMaxLayers]; }

  PlaybackLayer* Open(Place& place) {
    if (!place.layer) place.layer = std::make_unique<PlaybackLayer>(format_.playback);
    place.layer->set_paused(false);
    place.layer->set_volume(1.0f);
    place.layer->set_ducked(1.0f);
    place.layer->ArmWritable(0);
    place.layer->ArmDrained(0);
    place.open.store(true, std::memory_order_release);
    return place.layer.get();
  }

  // Clock: adds to a frame what the layers from `first` to `end` play.
  void AddLayers(size_t first, size_t end, int16_t* frame, bool speech) {
    const size_t size = frame_size();
    std::array<float, kMaxFrame> sum;
    bool any = false;
    for (size_t i = first; i < end; ++i) {
      Place& place = layers_[i];
      if (!place.sounds()) continue;
      if (!any) std::copy_n(frame, size, sum.begin());
      place.closing = !place.open.load(std::memory_order_relaxed);
      any |= place.layer->AddTo(sum.data(), size, speech);
    }
    if (any) std::transform(sum.begin(), sum.begin() + static_cast<ptrdiff_t>(size), frame, ToSample);
  }

  static constexpr std::array<int16_t, kMaxFrame> kSilence{};

  const PortFormat format_;
  PlaybackQueue voice_;
  std::array<Place, kMaxLayers + 1> layers_;  // the last is the signal
  PcmRing capture_;
  AudioMonitor monitor_;
  PacketRing packets_;
  Level received_level_, sent_level_;
  std::atomic<bool> muted_{false}, deaf_{false};
  bool was_muted_ = false;  // this and the next of the clock
  int16_t last_sent_ = 0;
  std::atomic<size_t> readable_at_{0};
  std::atomic<uint64_t> tapped_at_{0}, packets_at_{0};
  std::atomic<uint64_t> captured_{0}, capture_lost_{0};
};

}  // namespace telnyx
