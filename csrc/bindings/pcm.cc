#include "bindings/pcm.h"

#include <stdexcept>

namespace telnyx {

PcmFrames::PcmFrames(const py::buffer& pcm, size_t frame_size) : info_(pcm.request()) {
  const bool is_pcm = info_.format == "h" || info_.itemsize == 1;
  if (!is_pcm || info_.ndim != 1 || info_.strides[0] != info_.itemsize)
    throw py::type_error("audio is 16-bit samples (bytes, array('h'), numpy.int16 ...); convert it first");
  const size_t samples = static_cast<size_t>(info_.size * info_.itemsize) / sizeof(int16_t);
  if (samples == 0 || samples % frame_size != 0)
    throw std::invalid_argument("a frame lasts 10 ms or a multiple of that");
  samples_ = {static_cast<const int16_t*>(info_.ptr), samples};
}

}  // namespace telnyx
