// The extension module telnyx_native._webrtc.

#include "bindings/bindings.h"

PYBIND11_MODULE(_webrtc, module, pybind11::mod_gil_not_used()) {
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
