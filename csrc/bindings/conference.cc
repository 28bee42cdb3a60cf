#include <map>
#include <stdexcept>

#include "bindings/bindings.h"
#include "bindings/pcm.h"
#include "rtc/mix_minus.h"

namespace telnyx {

namespace {

// A mix by hand; in a call the media clock does it.
class HandMix {
 public:
  int Add(int sample_rate) {
    MixMinus::Seat* const seat = mix_.Add(mix_.Prepare(sample_rate));
    if (seat == nullptr) throw std::length_error("all seats are taken");
    seats_[++last_] = {seat, FrameSize(sample_rate)};
    Set(last_, true, true);
    return last_;
  }

  void Set(int seat, bool heard, bool hears) {
    seats_.at(seat).seat->set_heard(heard);
    seats_.at(seat).seat->set_hears(hears);
  }

  void Leave(int seat) { seats_.at(seat).seat->Leave(); }

  // What each seat says by its number; what each hears by its number, without those who hear nothing.
  std::map<int, py::bytes> Tick(const std::map<int, py::buffer>& said) {
    for (const auto& [number, pcm] : said) {
      const auto& [seat, frame_size] = seats_.at(number);
      const PcmFrames frames(pcm, frame_size);
      if (frames.samples().size() != frame_size) throw std::invalid_argument("a seat says one frame a tick");
      seat->Say(frames.samples().data());
    }
    mix_.Mix();
    std::map<int, py::bytes> heard;
    for (const auto& [number, place] : seats_) {
      const float* const mixed = place.seat->heard();
      if (mixed == nullptr) continue;
      std::vector<int16_t> frame(place.frame_size);
      std::transform(mixed, mixed + place.frame_size, frame.begin(), ToSample);
      heard[number] = py::bytes(reinterpret_cast<const char*>(frame.data()), frame.size() * sizeof(int16_t));
    }
    std::erase_if(seats_, [](const auto& place) { return place.second.seat->gone(); });
    mix_.Sweep();
    return heard;
  }

 private:
  struct Place {
    MixMinus::Seat* seat;
    size_t frame_size;
  };

  MixMinus mix_;
  std::map<int, Place> seats_;
  int last_ = 0;
};

}  // namespace

void BindConference(py::module_& module) {
  py::class_<ConferenceHandle>(module, "Conference")
      .def_property_readonly("id", [](const ConferenceHandle& conference) { return conference.get()->id(); })
      .def("close", &ConferenceHandle::Close);
  module.attr("MAX_CONFERENCE_SEATS") = MixMinus::kMaxSeats;
  py::class_<HandMix>(module, "MixMinus")
      .def(py::init<>())
      .def("add", &HandMix::Add)
      .def("set", &HandMix::Set)
      .def("leave", &HandMix::Leave)
      .def("tick", &HandMix::Tick);
}

}  // namespace telnyx
