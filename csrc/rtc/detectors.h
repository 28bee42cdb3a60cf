// What the media clock finds out about received audio: keys, tones, speech and words.

#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "audio/audio_port.h"
#include "audio/dtmf_detector.h"
#include "audio/key_merger.h"
#include "audio/steady_tone_detector.h"
#include "audio/telephone_events.h"
#include "rtc/speech_gate.h"
#include "rtc/voice_detector.h"
#include "rtc/word_detector.h"

namespace telnyx {

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
  float LoudestSent();                      // the mean square of the last half second
  bool IsEcho(float sent, int loss) const;  // whether what is heard is quieter than that by so many dB
  void DetectWords(const int16_t* frame);
  void DetectSteadyTones(const int16_t* frame);
  void Notify(Notice::Kind kind, char value, int began_ticks_ago, uint32_t duration_ms, uint16_t low = 0,
              uint16_t high = 0);

  AudioPort* const port_;
  int64_t tick_ = 0;
  int64_t last_key_ = std::numeric_limits<int32_t>::min();  // when one sounded or was signalled
  DtmfDetector tones_;
  KeyMerger merger_;
  VoiceDetector voice_;
  VoiceSettings voice_settings_;
  SpeechGate gate_;
  std::array<float, 50> sent_{};  // levels of what was sent, half a second: that long may an echo take
  WordDetector words_;
  bool hears_words_ = false;
  SteadyToneDetector steady_tones_;
};

}  // namespace telnyx
