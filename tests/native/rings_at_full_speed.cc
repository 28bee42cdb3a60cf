// The rings between threads that do nothing else: no reader may get a sample or value that was not written there.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "audio/packet_ring.h"
#include "audio/pcm_ring.h"
#include "audio/spsc_ring.h"
#include "audio/tap_reader.h"
#include "audio/tap_ring.h"

namespace {

constexpr size_t kCapacity = 1000, kFrame = 160, kFrames = 200'000;

int16_t ReceivedAt(uint64_t position) { return static_cast<int16_t>(position % 30011); }
int16_t SentAt(uint64_t position) { return static_cast<int16_t>(position % 29989); }

struct Result {
  uint64_t read = 0, lost = 0, wrong = 0;
};

Result ReadAll(telnyx::TapRing& ring, size_t at_once, const std::atomic<bool>& done) {
  Result result;
  telnyx::TapReader reader(ring, telnyx::TapChannel::kBoth);
  const uint64_t begin = reader.position();
  std::vector<int16_t> pcm(2 * at_once);
  while (true) {
    const bool last = done;
    const size_t count = reader.Read(pcm.data(), at_once);
    const uint64_t first = reader.position() - count;
    for (size_t i = 0; i < count; ++i)
      result.wrong += pcm[2 * i] != ReceivedAt(first + i) || pcm[2 * i + 1] != SentAt(first + i);
    result.read += count;
    if (last && count == 0) break;
  }
  result.lost = reader.lost();
  result.wrong += begin + result.read + result.lost != reader.position();
  return result;
}

bool TapsGetWhatWasWritten() {
  telnyx::TapRing ring(kCapacity);
  const telnyx::TapReader keeps_it_written(ring, telnyx::TapChannel::kSent);
  std::atomic<bool> done{false};
  Result small, large;
  std::thread reads_small([&] { small = ReadAll(ring, 7, done); });
  std::thread reads_large([&] { large = ReadAll(ring, 700, done); });
  std::vector<int16_t> received(kFrame), sent(kFrame);
  for (uint64_t position = 0; position < kFrames * kFrame; position += kFrame) {
    for (size_t i = 0; i < kFrame; ++i) {
      received[i] = ReceivedAt(position + i);
      sent[i] = SentAt(position + i);
    }
    ring.Write(received.data(), sent.data(), kFrame);
  }
  done = true;
  reads_small.join();
  reads_large.join();
  for (const Result& result : {small, large})
    std::printf("taps: %ju read, %ju lost, %ju wrong\n", static_cast<uintmax_t>(result.read),
                static_cast<uintmax_t>(result.lost), static_cast<uintmax_t>(result.wrong));
  return small.wrong + large.wrong == 0 && small.read > 0 && large.read > 0;
}

// The payload of packet n is n % 1500 times the octet n % 251, and its timestamp n.
Result ReadPackets(telnyx::PacketRing& ring, const std::atomic<bool>& done) {
  Result result;
  telnyx::PacketReader reader(ring);
  telnyx::PacketHead head;
  std::vector<uint8_t> payload(telnyx::PacketRing::kMaxPayload);
  int64_t before = -1;
  while (true) {
    const bool last = done;
    if (!reader.Read(head, payload.data())) {
      if (last) break;
      continue;
    }
    ++result.read;
    result.wrong += head.timestamp <= before || head.size != head.timestamp % telnyx::PacketRing::kMaxPayload;
    for (size_t i = 0; i < head.size; ++i) result.wrong += payload[i] != head.timestamp % 251;
    before = head.timestamp;
  }
  result.lost = reader.lost();
  return result;
}

bool PacketsComeWholeAndInOrder() {
  constexpr uint32_t kPackets = 200'000;
  telnyx::PacketRing ring;
  std::atomic<bool> done{false};
  Result first, second;
  telnyx::PacketReader counts(ring);
  std::thread reads_first([&] { first = ReadPackets(ring, done); });
  std::thread reads_second([&] { second = ReadPackets(ring, done); });
  std::vector<uint8_t> payload(telnyx::PacketRing::kMaxPayload);
  for (uint32_t number = 0; number < kPackets; ++number) {
    const size_t size = number % telnyx::PacketRing::kMaxPayload;
    std::fill_n(payload.begin(), size, static_cast<uint8_t>(number % 251));
    telnyx::PacketHead head;
    head.timestamp = number;
    ring.Write(head, payload.data(), size);
  }
  done = true;
  reads_first.join();
  reads_second.join();
  telnyx::PacketHead head;
  uint64_t left = 0;
  while (counts.Read(head, payload.data())) ++left;
  for (const Result& result : {first, second})
    std::printf("packets: %ju read, %ju lost, %ju wrong\n", static_cast<uintmax_t>(result.read),
                static_cast<uintmax_t>(result.lost), static_cast<uintmax_t>(result.wrong));
  std::printf("packets: %ju left, %ju lost\n", static_cast<uintmax_t>(left), static_cast<uintmax_t>(counts.lost()));
  return first.wrong + second.wrong == 0 && left + counts.lost() == kPackets;
}

// A third thread empties the ring now and then, so that it begins again at the front while a reader is copying.
bool WhatIsReadWasWrittenInOnePiece() {
  telnyx::PcmRing ring(kCapacity);
  std::atomic<bool> done{false};
  std::atomic<uint64_t> read{0}, cleared{0};
  uint64_t wrong = 0, lost = 0, written = 0;
  std::thread reads([&] {
    std::vector<int16_t> pcm(300);
    while (!done || ring.Available() != 0) {
      const size_t count = ring.Read(pcm.data(), pcm.size());
      for (size_t i = 1; i < count; ++i) wrong += pcm[i] != (pcm[i - 1] + 1) % 30011;
      read += count;
    }
  });
  std::thread clears([&] {
    while (!done) cleared += ring.SkipTo(ring.write_position());
  });
  std::vector<int16_t> pcm(kFrame);
  while (written < 1000 * kFrame || read < 10 * kFrame || cleared < 10 * kFrame) {
    for (size_t i = 0; i < kFrame; ++i) pcm[i] = ReceivedAt(written + i);
    lost += ring.Overwrite(pcm.data(), kFrame);
    written += kFrame;
  }
  done = true;
  reads.join();
  clears.join();
  std::printf("samples: %ju read, %ju cleared, %ju lost, %ju wrong\n", static_cast<uintmax_t>(read),
              static_cast<uintmax_t>(cleared), static_cast<uintmax_t>(lost), static_cast<uintmax_t>(wrong));
  return wrong == 0 && read + cleared + lost == written;
}

bool ValuesComeOnceAndInOrder() {
  constexpr uint64_t kValues = 2'000'000;
  telnyx::SpscRing<uint64_t, 64> ring;
  std::thread writes([&ring] {
    for (uint64_t value = 0; value < kValues;)
      if (ring.Push(value)) ++value;
  });
  uint64_t wrong = 0;
  for (uint64_t expected = 0; expected < kValues;)
    if (const auto value = ring.Pop()) wrong += *value != expected++;
  writes.join();
  std::printf("values: %ju wrong\n", static_cast<uintmax_t>(wrong));
  return wrong == 0 && !ring.Pop();
}

}  // namespace

int main() {
  return TapsGetWhatWasWritten() && PacketsComeWholeAndInOrder() && WhatIsReadWasWrittenInOnePiece() &&
                 ValuesComeOnceAndInOrder()
             ? 0
             : 1;
}
