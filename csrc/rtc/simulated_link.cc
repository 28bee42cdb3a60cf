#include "rtc/simulated_link.h"

#include <algorithm>

namespace telnyx {

namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kHeaders = 28;              // IPv4 and UDP
constexpr int64_t kOvertakenAfter = 30'000;  // more than one packet of 20 ms
constexpr int64_t kCopyAfter = 500;          // the second of two equal packets

enum Question : uint64_t { kLoss, kJitter, kReorder, kDuplicate };

// RFC 7983: RTP and RTCP begin with 128 to 191; RFC 5761: what is then 192 to 223 is RTCP.
bool IsRtp(const uint8_t* packet, size_t size) {
  return size >= 12 && packet[0] >= 128 && packet[0] < 192 && !(packet[1] >= 192 && packet[1] < 224);
}

// The output function of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void SimulatedLink::SetConditions(const LinkConditions& conditions) {
  const std::lock_guard lock(mutex_);
  conditions_ = conditions;
}

LinkCounters SimulatedLink::Counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

// Each question about each packet has its own number, so that asking one more changes no other answer.
double SimulatedLink::Chance(uint64_t kind, uint64_t packet, uint64_t question) const {
  const uint64_t bits = Mix(Mix(Mix(seed_) ^ (packet << 3 | question << 1 | kind)));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Gilbert's model: a burst begins and ends with certain chances, and what falls into one is lost. Those chances follow
// from the mean length of a burst and the share of packets in bursts.
bool SimulatedLink::Loses(Stream& stream, double chance) const {
  if (conditions_.burst <= 1 || conditions_.loss <= 0 || conditions_.loss >= 1) {
    stream.in_burst = false;
    return chance < conditions_.loss;
  }
  const double ends = 1 / conditions_.burst;
  const double begins = std::min(ends * conditions_.loss / (1 - conditions_.loss), 1.0);
  stream.in_burst = stream.in_burst ? chance >= ends : chance < begins;
  return stream.in_burst;
}

bool SimulatedLink::Transmit(int64_t& at, size_t size) {
  if (conditions_.rate <= 0) return true;
  const int64_t begin = std::max(at, free_at_);
  if (begin - at > conditions_.queue) return false;
  free_at_ = begin + static_cast<int64_t>(size + kHeaders) * 8 * kMicrosPerSecond / conditions_.rate;
  at = free_at_;
  return true;
}

SimulatedLink::Fate SimulatedLink::Offer(int64_t now, const uint8_t* packet, size_t size) {
  const std::lock_guard lock(mutex_);
  const uint64_t kind = IsRtp(packet, size) ? 0 : 1;
  Stream& stream = streams_[kind];
  const uint64_t number = stream.packets++;
  const auto chance = [&](Question question) { return Chance(kind, number, question); };

  int64_t at = now;
  if (!Transmit(at, size)) {
    ++counters_.overflowed;
    return {};
  }
  if (Loses(stream, chance(kLoss))) {
    ++counters_.lost;
    return {};
  }
  ++counters_.passed;
  at += conditions_.delay + static_cast<int64_t>(chance(kJitter) * static_cast<double>(conditions_.jitter));
  if (chance(kReorder) < conditions_.reorder) {
    ++counters_.reordered;
    at += kOvertakenAfter;
  } else {
    at = last_due_ = std::max(at, last_due_);
  }
  Fate fate{1, {at, at + kCopyAfter}};
  if (chance(kDuplicate) < conditions_.duplicate) {
    ++counters_.duplicated;
    fate.copies = 2;
  }
  return fate;
}

}  // namespace telnyx
