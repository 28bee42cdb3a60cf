#include "rtc/mix_minus.h"

#include <algorithm>
#include <utility>

#include "rtc/build_contract.h"
#include "rtc_base/checks.h"

namespace telnyx {

namespace {

size_t FrameSizeOf(size_t bus) { return FrameSize(kSampleRates[bus]); }

size_t BusOf(int sample_rate) {
  const auto* const rate = std::find(kSampleRates.begin(), kSampleRates.end(), sample_rate);
  RTC_CHECK(rate != kSampleRates.end());
  return static_cast<size_t>(rate - kSampleRates.begin());
}

void Add(const float* addend, float* sum, size_t samples) {
  for (size_t i = 0; i < samples; ++i) sum[i] += addend[i];
}

}  // namespace

void MixMinus::Seat::Say(const int16_t* frame) {
  std::copy_n(frame, FrameSizeOf(bus_), frame_.begin());
  has_said_ = true;
}

void MixMinus::Seat::Leave() {
  leaving_ = true;
  said_fade_.set_on(false);
  heard_fade_.set_on(false);
}

bool MixMinus::Seat::TakeSaid(size_t samples) {
  // Who left in the middle of a word said nothing more: what they said last, backwards, begins where that ended.
  if (!std::exchange(has_said_, false)) {
    if (leaving_)
      std::reverse(frame_.begin(), frame_.begin() + static_cast<ptrdiff_t>(samples));
    else
      std::fill_n(frame_.begin(), samples, int16_t{0});
  }
  any_said_ = !said_fade_.silent();
  if (any_said_) {
    std::copy_n(frame_.begin(), samples, said_.begin());
    said_fade_.Apply(said_.data(), samples);
  }
  return any_said_;
}

MixMinus::Preparation MixMinus::Prepare(int sample_rate) const {
  Preparation prepared{BusOf(sample_rate), nullptr, {}, {}};
  const size_t bus = prepared.bus;
  prepared.seat = std::make_unique<Seat>(bus);
  if (buses_[bus].used) return prepared;
  for (size_t other = 0; other < buses_.size(); ++other) {
    if (!buses_[other].used) continue;
    const int rate = kSampleRates[bus], other_rate = kSampleRates[other];
    prepared.from[other] = std::make_unique<Resampler>(Resampler::Live(other_rate, rate, FrameSizeOf(other)));
    prepared.to[other] = std::make_unique<Resampler>(Resampler::Live(rate, other_rate, FrameSizeOf(bus)));
  }
  return prepared;
}

MixMinus::Seat* MixMinus::Add(Preparation preparation) {
  if (seats_.size() == kMaxSeats) return nullptr;
  Bus& bus = buses_[preparation.bus];
  if (!bus.used) {
    bus.used = true;
    bus.from = std::move(preparation.from);
    for (size_t other = 0; other < buses_.size(); ++other)
      if (preparation.to[other]) buses_[other].from[preparation.bus] = std::move(preparation.to[other]);
  }
  seats_.push_back(std::move(preparation.seat));
  return seats_.back().get();
}

void MixMinus::Sweep() {
  std::erase_if(seats_, [](const std::unique_ptr<Seat>& seat) { return seat->gone(); });
}

void MixMinus::Mix() {
  for (Bus& bus : buses_)
    if (bus.used) bus.said.fill(0.0f);
  for (const auto& seat : seats_) {
    const size_t samples = FrameSizeOf(seat->bus_);
    if (!seat->gone_ && seat->TakeSaid(samples))
      telnyx::Add(seat->said_.data(), buses_[seat->bus_].said.data(), samples);
  }
  for (size_t to = 0; to < buses_.size(); ++to) {
    Bus& bus = buses_[to];
    if (!bus.used) continue;
    bus.total = bus.said;
    for (size_t from = 0; from < buses_.size(); ++from) {
      if (!bus.from[from]) continue;
      float* total = bus.total.data();
      bus.from[from]->Push(buses_[from].said.data(), FrameSizeOf(from), [&total](float sample) { *total++ += sample; });
    }
  }
  for (const auto& seat : seats_) {
    const size_t samples = FrameSizeOf(seat->bus_);
    seat->any_heard_ = !seat->gone_ && !seat->heard_fade_.silent();
    if (seat->any_heard_) {
      seat->heard_ = buses_[seat->bus_].total;
      if (seat->any_said_)
        for (size_t i = 0; i < samples; ++i) seat->heard_[i] -= seat->said_[i];
      seat->heard_fade_.Apply(seat->heard_.data(), samples);
    }
    if (seat->leaving_) seat->gone_ = true;
  }
}

}  // namespace telnyx
