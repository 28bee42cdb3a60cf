#include "rtc/simulated_network.h"

#include <vector>

#include "bindings/bindings.h"

namespace telnyx {

namespace {

void SetConditions(SimulatedLink& link, int64_t delay, int64_t jitter, double loss, double burst, double reorder,
                   double duplicate, int64_t rate, int64_t queue) {
  link.SetConditions({delay, jitter, loss, burst, reorder, duplicate, rate, queue});
}

py::dict Counters(const SimulatedLink& link) {
  const LinkCounters counters = link.Counters();
  py::dict result;
  result["passed"] = counters.passed;
  result["lost"] = counters.lost;
  result["overflowed"] = counters.overflowed;
  result["reordered"] = counters.reordered;
  result["duplicated"] = counters.duplicated;
  return result;
}

// When each copy of a packet arrives.
std::vector<int64_t> Offer(SimulatedLink& link, int64_t now, const py::bytes& packet) {
  const std::string_view data = packet;
  const auto fate = link.Offer(now, reinterpret_cast<const uint8_t*>(data.data()), data.size());
  return {fate.due.begin(), fate.due.begin() + fate.copies};
}

}  // namespace

void BindSimulatedNetwork(py::module_& module) {
  py::class_<SimulatedLink, std::shared_ptr<SimulatedLink>>(module, "SimulatedLink")
      .def(py::init<uint64_t>())
      .def("set_conditions", &SetConditions, py::kw_only(), py::arg("delay"), py::arg("jitter"), py::arg("loss"),
           py::arg("burst"), py::arg("reorder"), py::arg("duplicate"), py::arg("rate"), py::arg("queue"))
      .def("offer", &Offer)
      .def("counters", &Counters);
  py::class_<SimulatedNetwork, std::shared_ptr<SimulatedNetwork>>(module, "SimulatedNetwork")
      .def(py::init<std::shared_ptr<SimulatedLink>, std::shared_ptr<SimulatedLink>>())
      .def("rebind", &SimulatedNetwork::Rebind);
}

}  // namespace telnyx
