#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/bindings.h"
#include "rtc/srtp_sources.h"

namespace telnyx {

namespace {

using Ports = std::tuple<uint16_t, uint16_t>;                                   // first, last; 0, 0 for any
using Server = std::tuple<std::vector<std::string>, std::string, std::string>;  // urls, username, password

// Set by telnyx_native._audio, which makes the ports.
constexpr char kPortCapsule[] = "telnyx_native.AudioPort";

const char* Name(EventKind kind) {
  switch (kind) {
    case EventKind::kDone:
      return "done";
    case EventKind::kFailed:
      return "failed";
    case EventKind::kDescription:
      return "description";
    case EventKind::kStats:
      return "stats";
    case EventKind::kCandidate:
      return "candidate";
    case EventKind::kGatheringDone:
      return "gathering_done";
    case EventKind::kConnectionState:
      return "connection_state";
    case EventKind::kDtlsState:
      return "dtls_state";
    case EventKind::kFirstPacket:
      return "first_packet";
  }
  return "unknown";
}

std::shared_ptr<AudioPort> PortOf(const py::capsule& capsule) {
  auto* const port = static_cast<std::shared_ptr<AudioPort>*>(PyCapsule_GetPointer(capsule.ptr(), kPortCapsule));
  if (port == nullptr) throw py::error_already_set();
  return *port;
}

// In a forked child the engine is leaked: its destructor would join threads that only the parent has.
void Destroy(Engine* engine) {
  if (engine->owned_by_this_process()) delete engine;
}

EngineHandle CreateEngine(size_t pool_threads, int event_fd) {
  // Here, and not as a guard around the whole constructor: pybind11 needs the GIL for its part of it.
  const py::gil_scoped_release release;
  return EngineHandle(new Engine(pool_threads, event_fd), Destroy);
}

std::unique_ptr<PeerHandle> CreatePeer(const EngineHandle& engine, uint64_t operation,
                                       const std::vector<Server>& servers, bool relay_only, bool loopback, bool standby,
                                       const std::optional<ProcessingOptions>& processing,
                                       const std::optional<ProcessingOptions>& receive_processing,
                                       const std::shared_ptr<SimulatedNetwork>& network, const Ports& ports,
                                       const std::vector<std::string>& interfaces, bool ipv6, const py::capsule& port) {
  RequireOwnProcess(*engine);
  const auto [first_port, last_port] = ports;
  PeerOptions options{{},      relay_only, loopback,  standby,    processing, receive_processing,
                      network, first_port, last_port, interfaces, ipv6};
  for (const auto& [urls, username, password] : servers) options.ice_servers.push_back({urls, username, password});
  return std::make_unique<PeerHandle>(engine, engine->CreatePeer(operation, options, PortOf(port)));
}

std::unique_ptr<ConferenceHandle> CreateConference(const EngineHandle& engine, const std::optional<py::capsule>& port) {
  RequireOwnProcess(*engine);
  return std::make_unique<ConferenceHandle>(engine, engine->CreateConference(port ? PortOf(*port) : nullptr));
}

py::list TakeEvents(Engine& engine) {
  py::list events;
  engine.mailbox().Acknowledge();
  while (auto event = engine.mailbox().TakeEvent())
    events.append(
        py::make_tuple(event->peer, event->operation, Name(event->kind), event->text, event->mid, event->index));
  return events;
}

py::list TakeReady(Engine& engine) {
  py::list ports;
  while (const auto ready = engine.mailbox().TakeReady()) ports.append(py::make_tuple(ready->peer, ready->readiness));
  return ports;
}

py::dict Counters(const EngineHandle& engine) {
  const ClockCounters clock = engine->clock_counters();
  py::dict counters;
  counters["ticks"] = clock.ticks;
  counters["late_ticks"] = clock.late;
  counters["skipped_ticks"] = clock.skipped;
  counters["dropped_events"] = engine->mailbox().dropped();
  counters["dropped_packets"] = engine->dropped_packets();
  counters["refused_sources"] = SrtpSources::refused();
  return counters;
}

}  // namespace

void RequireOwnProcess(const Engine& engine) {
  if (!engine.owned_by_this_process())
    throw std::runtime_error(
        "this media engine belongs to the parent process and does not work after a fork: create the client in the "
        "process that uses it, or start processes with the 'spawn' method");
}

void BindEngine(py::module_& module) {
  py::class_<Engine, EngineHandle>(module, "Engine")
      .def(py::init(&CreateEngine), py::arg("pool_threads"), py::arg("event_fd"))
      .def("create_peer", &CreatePeer, py::arg("operation"), py::kw_only(), py::arg("ice_servers"),
           py::arg("relay_only"), py::arg("loopback"), py::arg("standby"), py::arg("processing"),
           py::arg("receive_processing"), py::arg("network"), py::arg("ports"), py::arg("interfaces"), py::arg("ipv6"),
           py::arg("port"))
      .def("create_conference", &CreateConference, py::arg("port"))
      .def("take_events", &TakeEvents)
      .def("take_ready", &TakeReady)
      .def("counters", &Counters)
      .def_property_readonly("closed", &Engine::closed)
      .def("close", [](Engine& engine) {
        RequireOwnProcess(engine);
        const py::gil_scoped_release release;
        engine.Close();
      });
}

}  // namespace telnyx
