#include <memory>
#include <string>
#include <utility>

#include "bindings/bindings.h"
#include "rtc/peer_operations.h"

namespace telnyx {

namespace {

// What Python hands over for an argument of an operation.
template <typename Argument>
struct FromPython {
  using Type = Argument;
  static Argument Take(Argument argument) { return argument; }
};

template <>
struct FromPython<std::shared_ptr<Peer>> {
  using Type = const PeerHandle&;
  static std::shared_ptr<Peer> Take(const PeerHandle& handle) { return handle.get(); }
};

template <>
struct FromPython<std::shared_ptr<Conference>> {
  using Type = const ConferenceHandle&;
  static std::shared_ptr<Conference> Take(const ConferenceHandle& handle) { return handle.get(); }
};

// A method for Python that posts an operation. It only posts to a native thread and never blocks, so it keeps the GIL.
template <typename Body, typename... Arguments>
auto Posting(Body body, void (Body::*)(Peer&, const Reply&, Arguments...) const) {
  return [body](const PeerHandle& peer, uint64_t operation, typename FromPython<Arguments>::Type... given) {
    peer.get()->Post(operation, [body, ... arguments = FromPython<Arguments>::Take(std::move(given))](
                                    Peer& self, const Reply& reply) { body(self, reply, arguments...); });
  };
}

}  // namespace

void BindPeer(py::module_& module) {
  py::class_<PeerHandle> peers(module, "Peer");
  peers.def_property_readonly("id", &PeerHandle::id);
  peers.def("close", [](const PeerHandle& peer, uint64_t operation) { peer.get()->Close(operation); });
  PeerOperations::ForEach(
      [&peers](const char* name, auto body) { peers.def(name, Posting(body, &decltype(body)::operator())); });
}

}  // namespace telnyx
