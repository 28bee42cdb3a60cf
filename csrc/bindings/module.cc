// The extension module telnyx_native._webrtc.

#include "bindings/bindings.h"
#include "bindings/main_interpreter.h"

TELNYX_MAIN_INTERPRETER_ONLY(_webrtc, InitWebrtc)
#define PyInit__webrtc InitWebrtc  // what the next line defines

PYBIND11_MODULE(_webrtc, module, pybind11::mod_gil_not_used()) {
  if (!telnyx::InMainInterpreter()) throw pybind11::error_already_set();
  module.doc() = "libwebrtc behind telnyx_native.media; private.";
  telnyx::BindProcessor(module);  // its options are an engine's, too
  telnyx::BindSimulatedNetwork(module);
  telnyx::BindConference(module);
  telnyx::BindEngine(module);
  telnyx::BindJitterTarget(module);
  telnyx::BindPeer(module);
  telnyx::BindVersions(module);
  telnyx::BindVoice(module);
}
