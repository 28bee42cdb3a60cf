// What the media clock finds out about received audio: keys and speech.

#pragma once

#include <cstdint>
#include <limits>

#include "audio/audio_port.h"
#include "audio/dtmf_detector.h"
#include "audio/key_merger.h"
#include "audio/telephone_events.h"
#include "rtc/voice_detector.h"

namespace telnyx {

// Speech begins when there was more of it than pauses for the onset, and ends after a hangover without any.
class SpeechGate {
 public:
  // One tick; whether somebody is speaking now.
  bool Update(bool speech, const VoiceSettings& settings);
  bool speaking() const { return speaking_; }
  int ticks() const { return ticks_; }  // since the last change may have begun: of speech, or of silence

 private:
  bool speaking_ = false;
  int level_ = 0;
  int ticks_ = 0;
};

// Of the clock's thread. Everything it finds goes to the port's notices.
class Detectors {
 public:
  explicit Detectors(AudioPort* port);

  // One frame of received audio, after the port got it, and the telephone-events that came beside it, if any.
  void Process(const int16_t* frame, TelephoneEvents* events);

 private:
  void TakeEvents(TelephoneEvents& events);
  void DetectTones(const int16_t* frame);
  void DetectSpeech(const int16_t* frame);
  void Notify(Notice::Kind kind, char value, int began_ticks_ago, uint32_t duration_ms);

  AudioPort* const port_;
  int64_t tick_ = 0;
  int64_t last_key_ = std::numeric_limits<int32_t>::min();  // when one sounded or was signalled
  DtmfDetector tones_;
  KeyMerger merger_;
  VoiceDetector voice_;
  VoiceSettings voice_settings_;
  SpeechGate gate_;
};

}  // namespace telnyx
