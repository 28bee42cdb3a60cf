// How long packets have to wait in the jitter buffer so that few of them come too late.

#pragma once

#include <array>
#include <cstdint>

namespace telnyx {

// Looks at when packets arrive, and finds the time at which to play them. Times are in milliseconds and relative to
// the packets' own timestamps: the offset of a packet is its arrival less its timestamp. Only differences of offsets
// mean something, since the clocks of the two ends do.
//
// A packet is late if its offset is greater than that at which packets are played. The best offset is the one with
// the least cost: the delay, and kMsPerLatePercent for each percent of late packets. So a rare outlier is let go, and
// a jitter that comes back again and again is waited for. Packets are forgotten exponentially.
class JitterTarget {
 public:
  // Forgets everything: another stream begins.
  void Reset();

  // A packet of `packet_ms` arrived. One that was lost, but which the packet behind repeats, counts as
  // arrived with that.
  void Arrived(double offset, double packet_ms);

  // At which offset to play; 0 before the first packet.
  double offset() const { return offset_; }
  // The same as the wait of a packet that comes early, in comparison with the others.
  double delay() const { return offset_ - earliest_; }

 private:
  static constexpr int kBuckets = 512;      // of a millisecond
  static constexpr int kFirstBucket = 128;  // where the first packet goes
  static constexpr double kMsPerLatePercent = 30;
  static constexpr double kMemoryMs = 4000;  // time constant of forgetting

  void Shift(int buckets);
  void Choose();

  double anchor_ = 0;  // the offset of bucket 0
  double total_ = 0;   // of all weights
  double weight_ = 1;  // of the next packet: it grows instead of all others being lessened
  int64_t packets_ = 0;
  int until_choice_ = 0;
  double offset_ = 0;
  double earliest_ = 0;
  std::array<double, kBuckets> weights_{};
};

}  // namespace telnyx
