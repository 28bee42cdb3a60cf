// One direction of a simulated network: what becomes of each packet, and when.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace telnyx {

// Times in microseconds, chances from 0 to 1.
struct LinkConditions {
  int64_t delay = 0;        // of every packet
  int64_t jitter = 0;       // up to so much more, evenly distributed; packets keep their order
  double loss = 0;          // the share of packets that are lost
  double burst = 1;         // how many are lost in a row, on average; 1: each is lost or not by itself
  double reorder = 0;       // the share of packets that the ones behind them overtake
  double duplicate = 0;     // the share of packets that arrive twice
  int64_t rate = 0;         // bits a second, UDP and IP headers included; 0: no limit
  int64_t queue = 200'000;  // how long a packet may wait for its turn at that rate; it is dropped instead
};

struct LinkCounters {
  uint64_t passed = 0;  // packets that arrived, the second ones of duplicated packets not counted
  uint64_t lost = 0;
  uint64_t overflowed = 0;  // dropped because of the limit on the rate
  uint64_t reordered = 0;
  uint64_t duplicated = 0;
};

// The fate of the n-th RTP packet is a function of the seed, n and the conditions at that time, and so is that of the
// n-th other packet (checks of ICE, DTLS, RTCP: how many of them are sent depends on time). Only the limit on the rate
// looks at the clock besides. May be used from any thread.
class SimulatedLink {
 public:
  explicit SimulatedLink(uint64_t seed) : seed_(seed) {}

  void SetConditions(const LinkConditions& conditions);
  LinkCounters Counters() const;

  struct Fate {
    int copies = 0;                // 0: the packet does not arrive
    std::array<int64_t, 2> due{};  // when each does
  };

  // Decides about a packet that is sent at `now`, any clock in microseconds.
  Fate Offer(int64_t now, const uint8_t* packet, size_t size);

 private:
  // What packets of one kind have in common.
  struct Stream {
    uint64_t packets = 0;
    bool in_burst = false;
  };

  double Chance(uint64_t kind, uint64_t packet, uint64_t question) const;
  bool Loses(Stream& stream, double chance) const;
  bool Transmit(int64_t& at, size_t size);

  const uint64_t seed_;
  mutable std::mutex mutex_;  // short; between the network thread and who sets conditions
  LinkConditions conditions_;
  LinkCounters counters_;
  std::array<Stream, 2> streams_;  // RTP, and the rest
  int64_t free_at_ = 0;            // when the last packet has been transmitted
  int64_t last_due_ = 0;
};

}  // namespace telnyx
