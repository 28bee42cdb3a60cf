#include <string>

#include "bindings/bindings.h"

namespace telnyx {

void BindPeer(py::module_& module) {
  using Operation = uint64_t;
  // Each method only posts to a native thread; none blocks, so none gives up the GIL.
  py::class_<PeerHandle>(module, "Peer")
      .def_property_readonly("id", &PeerHandle::id)
      .def("create_offer", [](const PeerHandle& peer, Operation operation,
                              bool ice_restart) { peer.get()->CreateOffer(operation, ice_restart); })
      .def("create_answer", [](const PeerHandle& peer, Operation operation,
                               std::string offer) { peer.get()->CreateAnswer(operation, std::move(offer)); })
      .def("set_answer", [](const PeerHandle& peer, Operation operation,
                            std::string answer) { peer.get()->SetAnswer(operation, std::move(answer)); })
      .def("set_provisional_answer",
           [](const PeerHandle& peer, Operation operation, std::string answer) {
             peer.get()->SetProvisionalAnswer(operation, std::move(answer));
           })
      .def("local_description",
           [](const PeerHandle& peer, Operation operation) { peer.get()->LocalDescription(operation); })
      .def("add_candidate",
           [](const PeerHandle& peer, Operation operation, std::string candidate, std::string mid, int index) {
             peer.get()->AddCandidate(operation, std::move(candidate), std::move(mid), index);
           })
      .def("get_stats", [](const PeerHandle& peer, Operation operation) { peer.get()->GetStats(operation); })
      .def("insert_dtmf", [](const PeerHandle& peer, Operation operation, std::string keys, int duration_ms,
                             int gap_ms) { peer.get()->InsertDtmf(operation, std::move(keys), duration_ms, gap_ms); })
      .def("set_echo", [](const PeerHandle& peer, Operation operation, bool on) { peer.get()->SetEcho(operation, on); })
      .def("set_held",
           [](const PeerHandle& peer, Operation operation, bool held) { peer.get()->SetHeld(operation, held); })
      .def("join", [](const PeerHandle& peer, Operation operation, const ConferenceHandle& conference,
                      bool heard) { peer.get()->Join(operation, conference.get(), heard); })
      .def("leave", [](const PeerHandle& peer, Operation operation) { peer.get()->Leave(operation); })
      .def("take_over", [](const PeerHandle& peer, Operation operation,
                           const PeerHandle& predecessor) { peer.get()->TakeOver(operation, predecessor.get()); })
      .def("set_max_bitrate", [](const PeerHandle& peer, Operation operation,
                                 int bitrate) { peer.get()->SetMaxBitrate(operation, bitrate); })
      .def("break_dtls", [](const PeerHandle& peer, Operation operation) { peer.get()->BreakDtls(operation); })
      .def("close", [](const PeerHandle& peer, Operation operation) { peer.get()->Close(operation); });
}

}  // namespace telnyx
