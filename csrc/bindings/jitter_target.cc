#include "rtc/jitter_target.h"

#include "bindings/bindings.h"

namespace telnyx {

// For tests: in a call it is the jitter buffer's.
void BindJitterTarget(py::module_& module) {
  py::class_<JitterTarget>(module, "JitterTarget")
      .def(py::init<>())
      .def("arrived", &JitterTarget::Arrived)
      .def_property_readonly("offset", &JitterTarget::offset)
      .def_property_readonly("delay", &JitterTarget::delay);
}

}  // namespace telnyx
