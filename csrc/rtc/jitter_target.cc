#include "rtc/jitter_target.h"

#include <algorithm>
#include <cmath>

namespace telnyx {

namespace {

constexpr double kMarginMs = 2;       // our own threads are that punctual
constexpr double kHugeJumpMs = 2000;  // the remote party began another count of time
constexpr double kHugeWeight = 1e100;
constexpr double kNegligible = 0.01;  // a share of packets that nobody would call the earliest ones
constexpr int kPacketsBetweenChoices = 5;
constexpr double kYoung = 3;  // what is older than two thirds of a young call is forgotten

}  // namespace

void JitterTarget::Reset() { *this = {}; }

void JitterTarget::Arrived(double offset, double packet_ms) {
  if (packets_ > 0 && std::abs(offset - offset_) > kHugeJumpMs) Reset();
  if (packets_++ == 0) anchor_ = std::floor(offset) - kFirstBucket;

  if (offset < anchor_) Shift(static_cast<int>(std::ceil(anchor_ - offset)) + kFirstBucket);
  const int bucket = std::clamp(static_cast<int>(offset - anchor_), 0, kBuckets - 1);
  weights_[static_cast<size_t>(bucket)] += weight_;
  total_ += weight_;

  const double memory = std::min(kMemoryMs / std::max(packet_ms, 1.0), static_cast<double>(packets_) / kYoung);
  weight_ *= 1 + 1 / std::max(memory, 1.0);
  if (weight_ > kHugeWeight) {
    for (double& weight : weights_) weight /= weight_;
    total_ /= weight_;
    weight_ = 1;
  }

  const bool late = offset > offset_;
  if (late || --until_choice_ <= 0) Choose();
}

// Makes room for earlier packets (positive) or for later ones.
void JitterTarget::Shift(int buckets) {
  const int kept = std::max(kBuckets - std::abs(buckets), 0);
  if (buckets > 0) {
    double beyond = 0;  // stays in the last bucket
    for (int i = kept; i < kBuckets; ++i) beyond += weights_[static_cast<size_t>(i)];
    std::copy_backward(weights_.begin(), weights_.begin() + kept, weights_.end());
    std::fill(weights_.begin(), weights_.end() - kept, 0.0);
    weights_.back() += beyond;
  } else {
    std::copy(weights_.end() - kept, weights_.end(), weights_.begin());
    std::fill(weights_.begin() + kept, weights_.end(), 0.0);
  }
  anchor_ -= buckets;
}

void JitterTarget::Choose() {
  until_choice_ = kPacketsBetweenChoices;
  const double negligible = kNegligible * total_;
  double late = total_;  // the weight of all packets in later buckets
  double least = 0;
  int earliest = -1, best = 0;
  for (int i = 0; i < kBuckets; ++i) {
    late -= weights_[static_cast<size_t>(i)];
    if (total_ - late < negligible) continue;
    if (earliest < 0) earliest = i;
    const double cost = i + kMsPerLatePercent * 100 * std::max(late, 0.0) / total_;
    if (i == earliest || cost < least) {
      least = cost;
      best = i;
    }
  }
  earliest_ = anchor_ + earliest;
  offset_ = anchor_ + best + 1 + kMarginMs;
  // The clocks of the two ends drift apart, or the network's delay has changed for good.
  if (earliest > 2 * kFirstBucket) Shift(kFirstBucket - earliest);
}

}  // namespace telnyx
