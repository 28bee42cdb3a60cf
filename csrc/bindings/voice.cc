#include <stdexcept>

#include "bindings/bindings.h"
#include "rtc/voice_detector.h"

namespace telnyx {

namespace {

bool IsSpeech(VoiceDetector& detector, const py::buffer& pcm) {
  const py::buffer_info info = pcm.request();
  const bool is_pcm = info.format == "h" || info.itemsize == 1;
  if (!is_pcm || info.ndim != 1 || info.strides[0] != info.itemsize)
    throw py::type_error("audio is 16-bit samples (bytes, array('h'), numpy.int16 ...); convert it first");
  const size_t samples = static_cast<size_t>(info.size * info.itemsize) / sizeof(int16_t);
  if (samples == 0 || samples % detector.frame_size() != 0)
    throw std::invalid_argument("a frame lasts 10 ms or a multiple of that");
  const auto* frame = static_cast<const int16_t*>(info.ptr);
  bool any = false;
  for (size_t i = 0; i < samples; i += detector.frame_size()) any |= detector.IsSpeech(frame + i);
  return any;
}

}  // namespace

void BindVoice(py::module_& module) {
  py::class_<VoiceDetector>(module, "VoiceDetector")
      .def(py::init<int>())
      .def("set_aggressiveness", &VoiceDetector::SetAggressiveness)
      .def("is_speech", &IsSpeech);
}

}  // namespace telnyx
