#include "rtc/detectors.h"

#include <algorithm>
#include <cmath>

#include "rtc/build_contract.h"

namespace telnyx {

namespace {

// Ticks after a key: the jitter buffer is that much behind telephone-events, and the detector holds on to what it took
// for speech.
constexpr int kAfterKey = 30;

}  // namespace

Detectors::Detectors(AudioPort* port)
    : port_(port),
      tones_(port->sample_rate()),
      voice_(port->sample_rate()),
      words_(port->sample_rate()),
      steady_tones_(port->sample_rate()) {
  voice_.SetAggressiveness(voice_settings_.aggressiveness);
}

void Detectors::Process(const int16_t* frame, TelephoneEvents* events) {
  ++tick_;
  if (events != nullptr) TakeEvents(*events);
  if (port_->monitor().tones() || port_->monitor().voice().enabled != 0) DetectTones(frame);
  DetectSpeech(frame);
  DetectWords(frame);
  if (port_->monitor().steady_tones()) DetectSteadyTones(frame);
}

void Detectors::TakeEvents(TelephoneEvents& events) {
  const bool any = events.Drain([this](const KeyPress& press) {
    if (merger_.AcceptEvent(press.key, tick_))
      Notify(Notice::kKeyEvent, press.key, static_cast<int>(press.duration_ms / 10), press.duration_ms);
  });
  if (!any) return;
  merger_.OnEventPacket(tick_);
  last_key_ = tick_;
}

void Detectors::DetectTones(const int16_t* frame) {
  const auto press = tones_.Process(frame);
  if (tones_.sounding()) last_key_ = tick_;
  if (press && port_->monitor().tones() && merger_.AcceptTone(press->key, tick_))
    Notify(Notice::kKeyTone, press->key, static_cast<int>(press->duration_ms / 10), press->duration_ms);
}

void Detectors::DetectSpeech(const int16_t* frame) {
  const VoiceSettings settings = port_->monitor().voice();
  if (settings.enabled == 0) {
    gate_ = {};
    return;
  }
  if (settings.aggressiveness != voice_settings_.aggressiveness) voice_.SetAggressiveness(settings.aggressiveness);
  voice_settings_ = settings;
  // A key is not speech. That of a telephone-event is heard as well: NetEq plays its tones, or scraps of them.
  const bool voiced = voice_.IsSpeech(frame) && tick_ - last_key_ > kAfterKey;
  const bool minds_sent = settings.echo_loss > 0 || settings.barge_in != settings.onset;
  const float sent = minds_sent ? LoudestSent() : 0.0f;
  const bool speech = voiced && (gate_.speaking() || !IsEcho(sent, settings.echo_loss));
  const int onset = sent > FrameSound::kAudible ? settings.barge_in : settings.onset;
  port_->monitor().Heard(speech, onset);
  const bool was_speaking = gate_.speaking();
  const bool is_speaking = gate_.Update(speech, onset, settings.hangover);
  if (is_speaking == was_speaking) return;
  Notify(Notice::kSpeech, is_speaking ? 1 : 0, gate_.ticks(), 0);
}

float Detectors::LoudestSent() {
  sent_[static_cast<size_t>(tick_) % sent_.size()] = port_->sent_level();
  return *std::max_element(sent_.begin(), sent_.end());
}

bool Detectors::IsEcho(float sent, int loss) const {
  return loss > 0 && port_->received_level() < sent * std::pow(10.0f, -0.1f * static_cast<float>(loss));
}

void Detectors::DetectWords(const int16_t* frame) {
  const WordSettings settings = port_->monitor().words();
  const bool wanted = settings.enabled != 0;
  if (wanted && !hears_words_) words_.Reset();
  hears_words_ = wanted;
  if (!wanted) return;
  if (const auto edge = words_.Process(frame, settings.threshold))
    Notify(Notice::kWord, edge->began ? 1 : 0, edge->ticks_ago, 0);
}

void Detectors::DetectSteadyTones(const int16_t* frame) {
  if (const auto tone = steady_tones_.Process(frame))
    Notify(Notice::kTone, static_cast<char>(tone->phase), static_cast<int>(tone->began_ago), 10 * tone->duration_ticks,
           tone->low, tone->high);
}

void Detectors::Notify(Notice::Kind kind, char value, int began_ticks_ago, uint32_t duration_ms, uint16_t low,
                       uint16_t high) {
  const uint64_t now = port_->Captured();
  const uint64_t ago = static_cast<uint64_t>(began_ticks_ago) * port_->frame_size();
  port_->monitor().Notify({kind, value, duration_ms, now - std::min(now, ago), low, high});
}

}  // namespace telnyx
