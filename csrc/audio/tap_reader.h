// One reader of a TapRing.

#pragma once

#include <cstddef>
#include <cstdint>

#include "audio/tap_ring.h"

namespace telnyx {

enum class TapChannel : int { kReceived, kSent, kBoth };

// Of one thread at a time. The ring must outlive it.
class TapReader {
 public:
  TapReader(TapRing& ring, TapChannel channel) : ring_(ring), channel_(channel), position_(ring.Open()) {}
  ~TapReader() { ring_.Close(); }
  TapReader(const TapReader&) = delete;
  TapReader& operator=(const TapReader&) = delete;

  size_t channels() const { return channel_ == TapChannel::kBoth ? 2 : 1; }
  uint64_t lost() const { return lost_; }  // samples that were overwritten before they were read
  size_t Readable() const {
    return static_cast<size_t>(std::min<uint64_t>(ring_.write_position() - position_, ring_.capacity()));
  }

  // Up to `count` samples a channel, interleaved: received, sent. Returns how many.
  size_t Read(int16_t* pcm, size_t count) {
    switch (channel_) {
      case TapChannel::kReceived:
        return ring_.Read(position_, lost_, count, [pcm](size_t i, SamplePair pair) { pcm[i] = pair.received; });
      case TapChannel::kSent:
        return ring_.Read(position_, lost_, count, [pcm](size_t i, SamplePair pair) { pcm[i] = pair.sent; });
      case TapChannel::kBoth:
        return ring_.Read(position_, lost_, count, [pcm](size_t i, SamplePair pair) {
          pcm[2 * i] = pair.received;
          pcm[2 * i + 1] = pair.sent;
        });
    }
    return 0;
  }

  // Where what is read next is, and where what comes next will be.
  uint64_t position() const { return position_; }
  uint64_t end() const { return ring_.write_position(); }

 private:
  TapRing& ring_;
  const TapChannel channel_;
  uint64_t position_;
  uint64_t lost_ = 0;
};

}  // namespace telnyx
