// Sums sources so that each hears all others and not itself, at the rates they have.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "audio/fade.h"
#include "audio/rates.h"
#include "audio/resampler.h"

namespace telnyx {

// One frame of 10 ms a seat and tick. All of one rate share a bus, and are summed there as they are. Only the sums are
// resampled, so that costs by the rates that meet (at most 20 resamplers) and not by the seats; and who has the same
// rate hears the others bit by bit. Between two rates
// it is late by half the filter of the resampler: 1.6 ms if the lower rate is 16 kHz, 3.3 ms if it is 8 kHz.
//
// Sums are floats, which hold the sum of kMaxSeats 16-bit samples exactly.
//
// Threads: Prepare on a control thread; everything else on one thread at a time, which the lock of the clock sees to.
class MixMinus {
 public:
  static constexpr size_t kMaxSeats = 256;

  class Seat {
   public:
    explicit Seat(size_t bus) : bus_(bus) {}

    // Who does not say anything in a tick is silent.
    void Say(const int16_t* frame);
    void set_heard(bool heard) { said_fade_.set_on(heard && !leaving_); }
    void set_hears(bool hears) { heard_fade_.set_on(hears && !leaving_); }
    // Fades out within the next tick, also when nothing more is said. Then it is gone.
    void Leave();

    // What the others said in the last tick; null for nothing.
    const float* heard() const { return any_heard_ ? heard_.data() : nullptr; }
    bool gone() const { return gone_; }

   private:
    friend class MixMinus;

    // What the seat adds to its bus; leaves it in said_.
    bool TakeSaid(size_t samples);

    const size_t bus_;
    Fade said_fade_, heard_fade_;
    bool has_said_ = false;
    bool any_said_ = false;
    bool any_heard_ = false;
    bool leaving_ = false;
    bool gone_ = false;
    std::array<int16_t, kMaxFrame> frame_{};
    std::array<float, kMaxFrame> said_, heard_;
  };

  // What a new seat needs, made before the lock of the clock is taken.
  struct Preparation {
    size_t bus;
    std::unique_ptr<Seat> seat;
    std::array<std::unique_ptr<Resampler>, kSampleRates.size()> from, to;
  };
  Preparation Prepare(int sample_rate) const;

  // Null if all seats are taken. The seat stays until it is gone and swept.
  Seat* Add(Preparation preparation);
  void Sweep();  // frees who is gone
  bool empty() const { return seats_.empty(); }

  // One tick, after everybody has said what they have to say. Does not allocate.
  void Mix();

 private:
  using Frame = std::array<float, kMaxFrame>;

  struct Bus {
    bool used = false;
    Frame said, total;
    std::array<std::unique_ptr<Resampler>, kSampleRates.size()> from;  // what other buses say
  };

  std::array<Bus, kSampleRates.size()> buses_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace telnyx
