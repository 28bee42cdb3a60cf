#include "bindings/bindings.h"
#include "bindings/pcm.h"
#include "rtc/audio_processor.h"

namespace telnyx {

namespace {

std::unique_ptr<AudioProcessor> CreateProcessor(int sample_rate, const ProcessingOptions& options) {
  const py::gil_scoped_release release;  // it takes milliseconds
  return std::make_unique<AudioProcessor>(sample_rate, options);
}

void AddFarEnd(AudioProcessor& processor, const py::buffer& pcm) {
  const PcmFrames frames(pcm, processor.frame_size());
  const std::span<const int16_t> samples = frames.samples();
  const py::gil_scoped_release release;
  for (size_t i = 0; i < samples.size(); i += processor.frame_size()) processor.AddFarEnd(&samples[i]);
}

py::bytes Process(AudioProcessor& processor, const py::buffer& pcm) {
  const PcmFrames frames(pcm, processor.frame_size());
  std::vector<int16_t> processed(frames.samples().begin(), frames.samples().end());
  {
    const py::gil_scoped_release release;
    for (size_t i = 0; i < processed.size(); i += processor.frame_size()) processor.Process(&processed[i]);
  }
  return {reinterpret_cast<const char*>(processed.data()), processed.size() * sizeof(int16_t)};
}

}  // namespace

void BindProcessor(py::module_& module) {
  py::class_<ProcessingOptions>(module, "ProcessingOptions")
      .def(py::init([](bool echo_cancellation, int noise_suppression, bool gain_control, bool high_pass) {
             return ProcessingOptions{echo_cancellation, noise_suppression, gain_control, high_pass};
           }),
           py::kw_only(), py::arg("echo_cancellation"), py::arg("noise_suppression"), py::arg("gain_control"),
           py::arg("high_pass"));
  py::class_<AudioProcessor>(module, "AudioProcessor")
      .def(py::init(&CreateProcessor))
      .def("add_far_end", &AddFarEnd)
      .def("process", &Process);
}

}  // namespace telnyx
