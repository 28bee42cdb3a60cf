// How many sources (SSRCs) a remote party may send from.
//
// libSRTP keeps a stream for every source of which a valid packet came, in a list that it searches for every packet;
// and libwebrtc makes a jitter buffer for each new one. So a remote party that has keys, and takes a new source for
// every packet, takes memory without end, and more and more time. Honest ones change theirs when a call is transferred
// or an announcement begins.
//
// So a session keeps the kMaxSources that were heard last. New ones are let in as they come at first, and one a second
// later; what is too much is dropped before it is decrypted, and counted.

#pragma once

#include <cstddef>
#include <cstdint>

namespace telnyx {

struct SrtpSources {
  static constexpr size_t kMaxSources = 64;
  static constexpr double kBurst = 16;  // new sources that come at once
  static constexpr double kPerSecond = 1;

  // Packets of new sources that were dropped in this process.
  static uint64_t refused();
};

}  // namespace telnyx
