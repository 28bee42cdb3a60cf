#include "bindings/bindings.h"
#include "bindings/pcm.h"
#include "rtc/voice_detector.h"

namespace telnyx {

namespace {

bool IsSpeech(VoiceDetector& detector, const py::buffer& pcm) {
  const PcmFrames frames(pcm, detector.frame_size());
  const std::span<const int16_t> samples = frames.samples();
  bool any = false;
  for (size_t i = 0; i < samples.size(); i += detector.frame_size()) any |= detector.IsSpeech(&samples[i]);
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
