// The encoded packets that a call received last, for any number of readers that do not disturb each other.

#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "audio/zeroed_pages.h"

namespace telnyx {

enum class PacketCodec : uint8_t { kOther, kOpus, kPcmu, kPcma, kG722, kTelephoneEvent, kRed, kComfortNoise };

// What is known of a packet beside its payload.
struct PacketHead {
  uint16_t size = 0;  // of the payload, in octets
  uint16_t sequence_number = 0;
  uint8_t payload_type = 0;
  PacketCodec codec = PacketCodec::kOther;
  uint16_t clock_khz = 0;  // of `timestamp`
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  int64_t arrived_us = 0;  // CLOCK_MONOTONIC
  uint64_t position = 0;   // samples that the call had received when it arrived
};

// One thread writes and never waits: the oldest packets give way. Each reader has a position of its own, in words since
// the beginning, which the writer does not know; a reader that falls behind notices how many packets it lost. While
// there is no reader nothing is written, and the ring is no real memory.
//
// A packet is some words: its number, its head, its payload. The writer announces how far the oldest packets are gone
// (oldest_) before it stores. Words are atomics: a reader that sees one of a later lap (acquire) also sees the
// announcement (made before the release), and discards its copy.
class PacketRing {
 public:
  static constexpr size_t kMaxPayload = 1500;  // no datagram of a call holds more

  // 256 kB: 20 s of Opus at 64 kbit/s, or of G.711; 4 s of the most that Opus can be.
  static constexpr size_t kWords = 32 * 1024;

  PacketRing() : words_(kWords) {}

  // Any thread.
  void Open() { readers_.fetch_add(1, std::memory_order_relaxed); }
  void Close() { readers_.fetch_sub(1, std::memory_order_relaxed); }
  bool has_readers() const { return readers_.load(std::memory_order_relaxed) > 0; }
  uint64_t write_position() const { return written_.load(std::memory_order_acquire); }

  // Writer. A payload that is too large is cut off by nobody: it is left out, and missing by its number.
  void Write(PacketHead head, const uint8_t* payload, size_t size) {
    const uint64_t number = count_.load(std::memory_order_relaxed);
    count_.store(number + 1, std::memory_order_relaxed);
    if (size > kMaxPayload) return;
    head.size = static_cast<uint16_t>(size);
    std::array<uint64_t, kHeadWords + kPayloadWords> packet{};
    packet[0] = number;
    std::memcpy(&packet[1], &head, sizeof head);
    std::memcpy(&packet[kHeadWords], payload, size);
    const uint64_t written = written_.load(std::memory_order_relaxed);
    const size_t length = LengthOf(head);
    uint64_t oldest = oldest_.load(std::memory_order_relaxed);
    while (written + length > oldest + kWords) oldest += LengthOf(HeadAt(oldest));
    oldest_.store(oldest, std::memory_order_relaxed);
    for (size_t i = 0; i < length; ++i) words_[(written + i) % kWords].store(packet[i], std::memory_order_release);
    written_.store(written + length, std::memory_order_release);
  }

 private:
  friend class PacketReader;

  static_assert(sizeof(PacketHead) % sizeof(uint64_t) == 0);
  static constexpr size_t kHeadWords = 1 + sizeof(PacketHead) / sizeof(uint64_t);
  static constexpr size_t kPayloadWords = (kMaxPayload + 7) / 8;

  static size_t LengthOf(const PacketHead& head) { return kHeadWords + (head.size + 7u) / 8; }

  PacketHead HeadAt(uint64_t position) const {
    std::array<uint64_t, kHeadWords - 1> words;
    for (size_t i = 0; i < words.size(); ++i) words[i] = WordAt(position + 1 + i);
    return std::bit_cast<PacketHead>(words);
  }
  uint64_t WordAt(uint64_t position) const { return words_[position % kWords].load(std::memory_order_acquire); }

  const ZeroedPages<std::atomic<uint64_t>> words_;
  std::atomic<int> readers_{0};
  alignas(64) std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> oldest_{0};  // where the oldest packet begins that is not being overwritten
  std::atomic<uint64_t> count_{0};   // packets
};

// Of one thread at a time. The ring must outlive it.
class PacketReader {
 public:
  explicit PacketReader(PacketRing& ring) : ring_(ring) {
    ring_.Open();
    do {
      position_ = ring_.write_position();
      next_number_ = ring_.count_.load(std::memory_order_relaxed);
    } while (position_ != ring_.write_position());
  }
  ~PacketReader() { ring_.Close(); }
  PacketReader(const PacketReader&) = delete;
  PacketReader& operator=(const PacketReader&) = delete;

  // The next packet; false if there is none. `payload` has room for kMaxPayload.
  bool Read(PacketHead& head, uint8_t* payload) {
    while (position_ < ring_.write_position()) {
      position_ = std::max(position_, ring_.oldest_.load(std::memory_order_acquire));
      const uint64_t number = ring_.WordAt(position_);
      head = ring_.HeadAt(position_);
      if (Overtaken()) continue;
      for (size_t at = 0; at < head.size; at += 8) {
        const uint64_t word = ring_.WordAt(position_ + PacketRing::kHeadWords + at / 8);
        std::memcpy(payload + at, &word, std::min<size_t>(8, head.size - at));
      }
      if (Overtaken()) continue;
      lost_ += number - std::min(number, next_number_);
      next_number_ = number + 1;
      position_ += PacketRing::LengthOf(head);
      return true;
    }
    return false;
  }

  uint64_t lost() const { return lost_; }  // packets
  uint64_t position() const { return position_; }
  uint64_t end() const { return ring_.write_position(); }

 private:
  bool Overtaken() const { return ring_.oldest_.load(std::memory_order_acquire) > position_; }

  PacketRing& ring_;
  uint64_t position_ = 0;
  uint64_t next_number_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace telnyx
