// What the files of the extension module telnyx_native._webrtc share.

#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <utility>

#include "rtc/conference.h"
#include "rtc/engine.h"
#include "rtc/peer.h"

namespace telnyx {

namespace py = pybind11;

// An engine for Python. Peers' handles keep it alive, so that a late call finds a closed engine and not a dead one.
using EngineHandle = std::shared_ptr<Engine>;

// Throws if a fork has left the engine's threads behind in the parent process.
void RequireOwnProcess(const Engine& engine);

// A peer for Python. When Python lets go of it, the call it carried ends.
class PeerHandle {
 public:
  PeerHandle(EngineHandle engine, std::shared_ptr<Peer> peer) : engine_(std::move(engine)), peer_(std::move(peer)) {}
  ~PeerHandle() {
    if (engine_->owned_by_this_process()) peer_->Close(Event::kUnasked);
  }
  PeerHandle(const PeerHandle&) = delete;
  PeerHandle& operator=(const PeerHandle&) = delete;

  std::shared_ptr<Peer> get() const {
    RequireOwnProcess(*engine_);
    return peer_;
  }
  uint64_t id() const { return peer_->id(); }

 private:
  const EngineHandle engine_;
  const std::shared_ptr<Peer> peer_;
};

// A conference for Python. When Python lets go of it, it ends.
class ConferenceHandle {
 public:
  ConferenceHandle(EngineHandle engine, std::shared_ptr<Conference> conference)
      : engine_(std::move(engine)), conference_(std::move(conference)) {}
  ~ConferenceHandle() { Close(); }
  ConferenceHandle(const ConferenceHandle&) = delete;
  ConferenceHandle& operator=(const ConferenceHandle&) = delete;

  void Close() const {
    if (engine_->owned_by_this_process()) engine_->CloseConference(conference_);
  }
  const std::shared_ptr<Conference>& get() const { return conference_; }

 private:
  const EngineHandle engine_;
  const std::shared_ptr<Conference> conference_;
};

void BindConference(py::module_& module);
void BindEngine(py::module_& module);
void BindJitterTarget(py::module_& module);
void BindPeer(py::module_& module);
void BindProcessor(py::module_& module);
void BindSimulatedNetwork(py::module_& module);
void BindVersions(py::module_& module);
void BindVoice(py::module_& module);

}  // namespace telnyx
