// The two ends of an AudioPort inside libwebrtc: a track that sends and a sink that receives.

#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "api/media_stream_interface.h"
#include "api/notifier.h"
#include "audio/audio_port.h"
#include "rtc/audio_processor.h"
#include "rtc/clock_lock.h"
#include "rtc/detectors.h"
#include "rtc/mix_minus.h"
#include "rtc/pull_mixer.h"

namespace telnyx {

// The source of a local track. The media clock delivers frames, libwebrtc's sender is the sink.
class PortSource : public webrtc::Notifier<webrtc::AudioSourceInterface> {
 public:
  SourceState state() const override { return kLive; }
  bool remote() const override { return false; }
  void AddSink(webrtc::AudioTrackSinkInterface* sink) override;
  void RemoveSink(webrtc::AudioTrackSinkInterface* sink) override;

  void Deliver(const int16_t* frame, int sample_rate, size_t samples);

 private:
  std::mutex mutex_;  // between native threads only
  std::vector<webrtc::AudioTrackSinkInterface*> sinks_;
};

// A call's port with both its ends, as the media clock sees it.
class PortTrack : public webrtc::AudioTrackSinkInterface {
 public:
  PortTrack(std::shared_ptr<AudioPort> port, PullMixer* mixer);

  PortSource* source() { return source_.get(); }
  AudioPort& port() { return *port_; }

  // The port's audio is what a microphone heard, and what it receives is played near that: processes it. Before the
  // clock has the track.
  void Process(const ProcessingOptions& options);

  // What is received is processed before anybody hears it, detectors included. Also before the clock has the track.
  void ProcessReceived(const ProcessingOptions& options);

  // From the remote track, within PullMixer::PullAll.
  void OnData(const void* pcm, int bits_per_sample, int sample_rate, size_t channels, size_t samples) override;

  // Whether it is this track that the port's audio goes through: a port may have a second one, whose connection is
  // being made.
  void set_live(const ClockLock&, bool live) { live_ = live; }

  // There is a way to the remote party. Until then nothing is taken from the port: what was written waits.
  void set_connected(const ClockLock&) { connected_ = true; }

  // Once per tick, after everything received was delivered: sends 10 ms.
  void Send(const ClockLock& lock);

  // The slot of the media clock in which it sends next.
  int64_t due(const ClockLock&) const { return due_; }
  void set_due(const ClockLock&, int64_t slot) { due_ = slot; }
  // The same after Send, which was in `slot`. Who writes live does so at a time of their own in each period: if that
  // is just when the call sends, some frames come too late. Then it sends a slot later from now on.
  int64_t NextDue(const ClockLock& lock, int64_t slot);

  // Whether it is to hear others, who hear it, without delay.
  bool echoes(const ClockLock&) const { return echo_; }
  void set_together(const ClockLock&, bool together) { together_ = together; }

  // What was received in this tick; null for nothing.
  const int16_t* received(const ClockLock&) const { return has_received_ ? received_.data() : nullptr; }

  // Adds to what is sent in this tick.
  void MixIn(const ClockLock& lock, const float* frame);

  // Whether what is received is sent back, from the next tick on; and whether the call is on hold: then it takes part
  // in no echo and no conference, though it stays in there.
  void set_echo(const ClockLock&, bool echo) { echo_ = echo; }
  void set_held(const ClockLock&, bool held) { held_ = held; }
  bool held(const ClockLock&) const { return held_; }
  void InheritFrom(const ClockLock& lock, const PortTrack& predecessor);

 private:
  void Echo(const ClockLock& lock);

  const std::shared_ptr<AudioPort> port_;
  PullMixer* const mixer_;
  Detectors detectors_;
  std::unique_ptr<AudioProcessor> processor_, received_processor_;
  const rtc::scoped_refptr<PortSource> source_;
  int64_t due_ = 0;
  bool together_ = false;
  uint64_t underruns_ = 0;  // seen
  int trouble_ = 0;         // grows with each underrun, and goes away in time
  bool live_ = false;
  bool connected_ = false;
  bool echo_ = false;
  bool held_ = false;
  Fade echo_fade_;
  bool has_received_ = false, has_mixed_in_ = false;  // in this tick
  std::array<int16_t, kMaxFrame> received_, frame_;
  std::array<float, kMaxFrame> mixed_in_;
};

}  // namespace telnyx
