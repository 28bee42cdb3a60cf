// Samples that Python brings.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bindings/bindings.h"

namespace telnyx {

// The samples in a buffer of mono 16-bit PCM that is a number of whole frames long. The buffer cannot be resized as
// long as this is there.
class PcmFrames {
 public:
  PcmFrames(const py::buffer& pcm, size_t frame_size);  // throws TypeError or ValueError

  std::span<const int16_t> samples() const { return samples_; }

 private:
  const py::buffer_info info_;
  std::span<const int16_t> samples_;
};

}  // namespace telnyx
