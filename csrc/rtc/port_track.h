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
#include "rtc/hearing.h"
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

  // From the remote track, within PullMixer::PullAll.
  void OnData(const void* pcm, int bits_per_sample, int sample_rate, size_t channels, size_t samples) override;

  // Whether it is this track that the port's audio goes through: a port may have a second one, whose connection is
  // being made. The caller holds the clock.
  void set_live(bool live) { live_ = live; }

  // Once per tick, after everything received was delivered: sends 10 ms.
  void Send();

  // The slot of the media clock in which it sends next. The caller holds the clock.
  int64_t due() const { return due_; }
  void set_due(int64_t slot) { due_ = slot; }

  // Whether its audio goes into another call, or another call's into it. The caller holds the clock.
  void set_joined(bool joined) { joined_up_ = joined; }

  // Received audio is also sent out by `target` (which may be this track: echo), from the next tick on. The caller
  // holds the clock, see MediaClock::Synchronized.
  void JoinTo(PortTrack* target) { join_target_ = target; }
  PortTrack* join_target() const { return join_target_; }

 private:
  void Blend(const int16_t* frame, size_t samples);

  const std::shared_ptr<AudioPort> port_;
  PullMixer* const mixer_;
  Hearing hearing_;
  std::unique_ptr<AudioProcessor> processor_;
  const rtc::scoped_refptr<PortSource> source_;
  PortTrack* join_target_ = nullptr;
  int64_t due_ = 0;
  bool joined_up_ = false;
  bool live_ = false;
  bool has_joined_ = false;  // joined_ holds a frame of this tick
  std::array<int16_t, AudioPort::kMaxFrame> joined_, frame_;
};

}  // namespace telnyx
