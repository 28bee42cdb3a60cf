// A port whose application does everything at once, and a clock that does not wait: nothing is lost or heard twice.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "audio/audio_port.h"

namespace {

constexpr int kTicks = 30'000;
constexpr size_t kFrame = 160;
constexpr int16_t kSample = 100;
constexpr int kVolume = 2;  // of layers
// The loudest there can be: the voice and all layers cut off in the same tick, each dying away under what follows it.
constexpr int kLoudest = 2 * kSample * (1 + kVolume * static_cast<int>(telnyx::AudioPort::kMaxLayers));

}  // namespace

int main() {
  telnyx::AudioPort port({.sample_rate = 16000, .playback = 1000, .capture = 1000, .tap = 1000, .max_backlog = 0});
  std::atomic<bool> done{false};
  uint64_t wrong = 0, ready = 0;
  std::thread clock([&] {
    std::vector<int16_t> frame(kFrame);
    for (int tick = 0; tick < kTicks; ++tick) {
      port.PushCapture(frame.data(), kFrame);
      port.TakePlayback(frame.data());
      port.ApplyMute(frame.data());
      port.Sent(frame.data());
      ready += port.TakeReadiness() != 0;
      for (const int16_t sample : frame) wrong += sample < 0 || sample > kLoudest;
    }
    done = true;
  });
  std::thread interrupts([&] {
    for (uint64_t turn = 0; !done; ++turn) {
      port.set_muted(turn % 7 == 0);
      port.voice().set_paused(turn % 5 == 0);
      if (turn % 3 == 0) port.voice().Clear();
      std::this_thread::yield();
    }
  });
  const std::vector<int16_t> pcm(300, kSample);
  std::vector<int16_t> heard(500);
  uint64_t written = 0, layers = 0;
  std::vector<telnyx::PlaybackLayer*> open;
  for (uint64_t turn = 0; !done; ++turn) {
    written += port.voice().Write(pcm.data(), pcm.size());
    port.voice().ArmWritable(100);
    port.voice().ArmDrained(written);
    port.Read(heard.data(), heard.size());
    if (turn % 4 == 0) {
      if (telnyx::PlaybackLayer* const layer = port.OpenLayer()) {
        ++layers;
        layer->set_volume(kVolume);
        layer->set_ducked(0.5f);
        open.push_back(layer);
      }
    }
    for (telnyx::PlaybackLayer* const layer : open) layer->Write(pcm.data(), pcm.size());
    if (turn % 9 == 0 && !open.empty()) {
      port.CloseLayer(open.front());
      open.erase(open.begin());
    }
  }
  clock.join();
  interrupts.join();
  const telnyx::PortCounters counters = port.Counters();
  const uint64_t accounted = counters.played + counters.cleared + port.voice().Queued();
  std::printf("%ju written, %ju accounted for, %ju layers, %ju ready, %ju wrong\n", static_cast<uintmax_t>(written),
              static_cast<uintmax_t>(accounted), static_cast<uintmax_t>(layers), static_cast<uintmax_t>(ready),
              static_cast<uintmax_t>(wrong));
  return wrong == 0 && accounted == written && written > 0 && layers > 10 && ready > 0 ? 0 : 1;
}
