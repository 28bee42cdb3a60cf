// One libwebrtc with everything our calls share: threads, codecs, the media clock and the way to Python.

#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "api/peer_connection_interface.h"
#include "audio/audio_port.h"
#include "rtc/mailbox.h"
#include "rtc/media_clock.h"
#include "rtc/pull_mixer.h"
#include "rtc/task_pool.h"

namespace rtc {
class NetworkManager;
class Thread;
}  // namespace rtc

namespace telnyx {

class CallFactory;
class Conference;
class Outbox;
class Peer;
struct PeerOptions;
using SocketTrouble = std::atomic<int>;

// Ownership is a tree: the engine owns its peers until they close, each peer its port's track. Closing the engine
// closes all of them. Whatever a method does on libwebrtc's threads is done when the mailbox says so.
//
// Threads: "signaling" runs every control operation, "network" the sockets, RTP and the worker's part (libwebrtc
// lets one thread be both, which saves two context switches a packet), the clock, and the task pool.
class Engine {
 public:
  // `pool_threads` serve the encoders and pacers of all calls. `event_fd` is an eventfd that is written whenever the
  // mailbox gets something; it stays the caller's, who may close it after Close(). Throws std::runtime_error if the
  // process may not have the threads or file descriptors that it takes.
  Engine(size_t pool_threads, int event_fd);
  ~Engine();  // closes
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Opens a peer whose audio meets the application at `port`; replies to `operation` when it is ready for others.
  // Throws std::logic_error when closed.
  std::shared_ptr<Peer> CreatePeer(uint64_t operation, const PeerOptions& options, std::shared_ptr<AudioPort> port);

  // The application takes part at `port`, which may be null. Throws std::logic_error when closed.
  std::shared_ptr<Conference> CreateConference(std::shared_ptr<AudioPort> port);
  void CloseConference(std::shared_ptr<Conference> conference);

  // Ends every call and every thread. Idempotent; not to be called from a native thread.
  void Close();
  bool closed() const { return closed_; }

  // False in a child process after fork. The engine's threads exist only in the parent: there it must be neither
  // used nor destroyed.
  bool owned_by_this_process() const;

  Mailbox& mailbox() { return mailbox_; }
  ClockCounters clock_counters() const;
  uint64_t dropped_packets() const;  // that waited for a network thread which did not take them

 private:
  friend class Peer;
  friend struct PeerOperations;

  // The following are of the signaling thread.
  rtc::scoped_refptr<webrtc::PeerConnectionInterface> Connect(const PeerOptions& options,
                                                              std::shared_ptr<SocketTrouble> trouble, int sample_rate,
                                                              webrtc::PeerConnectionObserver* observer);
  std::unique_ptr<cricket::PortAllocator> CreatePortAllocator(const PeerOptions& options,
                                                              std::shared_ptr<SocketTrouble> trouble);
  void Forget(uint64_t peer);

  const pid_t process_;
  Mailbox mailbox_;
  std::unique_ptr<TaskPool> pool_;  // outlives everything that makes queues on it
  const rtc::scoped_refptr<PullMixer> mixer_;
  std::unique_ptr<rtc::Thread> network_thread_;
  std::unique_ptr<rtc::Thread> signaling_thread_;
  std::unique_ptr<Outbox> outbox_;  // outlives all calls
  std::unique_ptr<rtc::NetworkManager> network_manager_;
  CallFactory* calls_ = nullptr;  // owned by factory_
  rtc::scoped_refptr<webrtc::PeerConnectionFactoryInterface> factory_;
  std::unique_ptr<MediaClock> clock_;
  std::map<uint64_t, std::shared_ptr<Peer>> peers_;  // of the signaling thread
  uint64_t last_id_ = 0;                             // of peers and conferences
  std::atomic<bool> closed_{false};
};

}  // namespace telnyx
