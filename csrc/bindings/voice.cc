#include "bindings/bindings.h"
#include "bindings/pcm.h"
#include "rtc/voice_detector.h"
#include "rtc/word_detector.h"

namespace telnyx {

namespace {

bool IsSpeech(VoiceDetector& detector, const py::buffer& pcm) {
  const PcmFrames frames(pcm, detector.frame_size());
  const std::span<const int16_t> samples = frames.samples();
  bool any = false;
  for (size_t i = 0; i < samples.size(); i += detector.frame_size()) any |= detector.IsSpeech(&samples[i]);
  return any;
}

// What is new of a word in the next 10 ms: (whether it began, ticks ago), or None.
py::object NextWordEdge(WordDetector& detector, const py::buffer& pcm, int threshold) {
  const PcmFrames frames(pcm, detector.frame_size());
  if (frames.samples().size() != detector.frame_size()) throw py::value_error("a frame is 10 ms long");
  const std::optional<WordEdge> edge = detector.Process(frames.samples().data(), threshold);
  return edge ? py::make_tuple(edge->began, edge->ticks_ago) : py::object(py::none());
}

}  // namespace

void BindVoice(py::module_& module) {
  py::class_<VoiceDetector>(module, "VoiceDetector")
      .def(py::init<int>())
      .def("set_aggressiveness", &VoiceDetector::SetAggressiveness)
      .def("is_speech", &IsSpeech);
  py::class_<WordDetector>(module, "WordDetector").def(py::init<int>()).def("process", &NextWordEdge);
}

}  // namespace telnyx
