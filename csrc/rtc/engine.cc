#include "rtc/engine.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "api/field_trials.h"
#include "api/make_ref_counted.h"
#include "media/base/media_engine.h"
#include "media/engine/null_webrtc_video_engine.h"
#include "media/engine/webrtc_voice_engine.h"
#include "p2p/base/basic_packet_socket_factory.h"
#include "rtc/build_contract.h"
#include "rtc/call_factory.h"
#include "rtc/codecs.h"
#include "rtc/conference.h"
#include "rtc/direct_transport.h"
#include "rtc/library.h"
#include "rtc/peer.h"
#include "rtc/port_allocator.h"
#include "rtc/process_limits.h"
#include "rtc/silent_device.h"
#include "rtc_base/network.h"
#include "rtc_base/physical_socket_server.h"
#include "rtc_base/thread.h"

namespace telnyx {

namespace {

// No task queues for a pacer and its controller: there are none, see DirectTransport.
constexpr char kFieldTrials[] = "WebRTC-SendPacketsOnWorkerThread/Enabled/";

constexpr size_t kOwnThreads = 3;   // network, signaling, clock
constexpr size_t kDescriptors = 8;  // what libwebrtc waits with, and looks for networks with

std::unique_ptr<cricket::MediaEngineInterface> CreateMediaEngine(webrtc::TaskQueueFactory* task_queues,
                                                                 webrtc::AudioMixer* mixer,
                                                                 std::unique_ptr<webrtc::FieldTrialsView> trials) {
  const auto device = rtc::make_ref_counted<SilentDevice>();
  auto voice = std::make_unique<cricket::WebRtcVoiceEngine>(
      task_queues, device.get(), CreateEncoders(), CreateDecoders(), rtc::scoped_refptr<webrtc::AudioMixer>(mixer),
      /*audio_processing=*/nullptr, /*audio_frame_processor=*/nullptr, *trials);
  return std::make_unique<cricket::CompositeMediaEngine>(std::move(trials), std::move(voice),
                                                         std::make_unique<cricket::NullWebRtcVideoEngine>());
}

// On a busy machine packets would wait here, which the jitter buffers at both ends take for jitter of the network. The
// priority is that of libwebrtc's own threads (rtc_base/platform_thread.cc); where the system grants none, so be it.
void GivePriorityToThisThread() {
  sched_param scheduling{};
  scheduling.sched_priority = (sched_get_priority_min(SCHED_FIFO) + sched_get_priority_max(SCHED_FIFO)) / 2 - 1;
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &scheduling);
}

webrtc::PeerConnectionInterface::RTCConfiguration Configuration(const PeerOptions& options) {
  using webrtc::PeerConnectionInterface;
  PeerConnectionInterface::RTCConfiguration configuration;
  configuration.sdp_semantics = webrtc::SdpSemantics::kUnifiedPlan;
  // Telnyx's servers answer without a BUNDLE group, which the stricter policies would refuse.
  configuration.bundle_policy = PeerConnectionInterface::kBundlePolicyMaxCompat;
  configuration.rtcp_mux_policy = PeerConnectionInterface::kRtcpMuxPolicyRequire;
  // Host candidates over TCP help only when the remote party listens on TCP itself; a media server does not.
  configuration.tcp_candidate_policy = PeerConnectionInterface::kTcpCandidatePolicyDisabled;
  configuration.type = options.relay_only ? PeerConnectionInterface::kRelay : PeerConnectionInterface::kAll;
  for (const IceServer& server : options.ice_servers) {
    PeerConnectionInterface::IceServer converted;
    converted.urls = server.urls;
    converted.username = server.username;
    converted.password = server.password;
    configuration.servers.push_back(std::move(converted));
  }
  return configuration;
}

}  // namespace

Engine::Engine(size_t pool_threads, int event_fd)
    : process_((RequireProcessLimits(pool_threads + kOwnThreads, kDescriptors), getpid())),
      mailbox_(event_fd),
      pool_(std::make_unique<TaskPool>(pool_threads)),
      mixer_(rtc::make_ref_counted<PullMixer>()) {
  InitializeLibrary();
  network_thread_ = rtc::Thread::CreateWithSocketServer();
  network_thread_->SetName("telnyx-network", nullptr);
  network_thread_->Start();
  signaling_thread_ = rtc::Thread::Create();
  signaling_thread_->SetName("telnyx-signal", nullptr);
  signaling_thread_->Start();

  rtc::SocketFactory* const sockets = network_thread_->socketserver();
  network_manager_ = std::make_unique<rtc::BasicNetworkManager>(sockets);
  // Kept running, so that the list of networks is there when a call wants it.
  network_thread_->BlockingCall([this] {
    GivePriorityToThisThread();
    network_manager_->StartUpdating();
  });

  webrtc::PeerConnectionFactoryDependencies dependencies;
  dependencies.network_thread = network_thread_.get();
  dependencies.worker_thread = network_thread_.get();
  dependencies.signaling_thread = signaling_thread_.get();
  dependencies.task_queue_factory = std::make_unique<TaskPool::Reference>(pool_.get());
  dependencies.trials = webrtc::FieldTrials::CreateNoGlobal(kFieldTrials);
  outbox_ = std::make_unique<Outbox>(network_thread_.get());
  auto calls = std::make_unique<CallFactory>(outbox_.get(), mixer_.get());
  calls_ = calls.get();
  dependencies.call_factory = std::move(calls);
  dependencies.media_engine =
      CreateMediaEngine(pool_.get(), mixer_.get(), webrtc::FieldTrials::CreateNoGlobal(kFieldTrials));
  factory_ = webrtc::CreateModularPeerConnectionFactory(std::move(dependencies));
  clock_ = std::make_unique<MediaClock>(mixer_.get(), &mailbox_);
}

Engine::~Engine() { Close(); }

std::shared_ptr<Peer> Engine::CreatePeer(uint64_t operation, const PeerOptions& options,
                                         std::shared_ptr<AudioPort> port) {
  if (closed_) throw std::logic_error("the engine is closed");
  auto peer = std::make_shared<Peer>(this, ++last_id_, std::move(port));
  signaling_thread_->PostTask([this, peer, operation, options] {
    peers_[peer->id()] = peer;
    peer->Open(operation, options);
  });
  return peer;
}

std::shared_ptr<Conference> Engine::CreateConference(std::shared_ptr<AudioPort> port) {
  if (closed_) throw std::logic_error("the engine is closed");
  auto conference = std::make_shared<Conference>(++last_id_, std::move(port));
  signaling_thread_->PostTask([this, conference] {
    if (clock_) clock_->Add(conference);
  });
  return conference;
}

void Engine::CloseConference(std::shared_ptr<Conference> conference) {
  signaling_thread_->PostTask([this, conference = std::move(conference)] {
    if (clock_) clock_->Synchronized([&](const ClockLock& lock) { conference->Close(lock); });
  });
}

rtc::scoped_refptr<webrtc::PeerConnectionInterface> Engine::Connect(const PeerOptions& options,
                                                                    std::shared_ptr<SocketTrouble> trouble,
                                                                    int sample_rate,
                                                                    webrtc::PeerConnectionObserver* observer) {
  webrtc::PeerConnectionDependencies dependencies(observer);
  dependencies.allocator = CreatePortAllocator(options, std::move(trouble));
  dependencies.async_resolver_factory =
      std::make_unique<NoNames>();  // libwebrtc takes a newer kind, and then refuses it
  calls_->set_sample_rate(sample_rate);
  auto result = factory_->CreatePeerConnectionOrError(Configuration(options), std::move(dependencies));
  return result.ok() ? result.MoveValue() : nullptr;
}

std::unique_ptr<cricket::PortAllocator> Engine::CreatePortAllocator(const PeerOptions& options,
                                                                    std::shared_ptr<SocketTrouble> trouble) {
  rtc::SocketFactory* const sockets = network_thread_->socketserver();
  std::unique_ptr<rtc::PacketSocketFactory> factory;
  if (options.network)
    factory = std::make_unique<SimulatedSocketFactory>(sockets, options.network);
  else
    factory = std::make_unique<rtc::BasicPacketSocketFactory>(sockets);
  return std::make_unique<PortAllocator>(
      PortAllocatorParts{std::make_unique<ChosenNetworks>(network_manager_.get(), options.interfaces, options.ipv6),
                         std::make_unique<PeerSocketFactory>(std::move(factory), std::move(trouble))},
      options);
}

void Engine::Forget(uint64_t peer) { peers_.erase(peer); }

void Engine::Close() {
  if (closed_.exchange(true)) return;
  signaling_thread_->BlockingCall([this] {
    while (!peers_.empty()) {
      const std::shared_ptr<Peer> peer = peers_.begin()->second;
      peer->CloseNow();
    }
  });
  signaling_thread_->BlockingCall([this] { clock_.reset(); });
  factory_ = nullptr;
  network_thread_->BlockingCall([this] {
    network_manager_->StopUpdating();
    network_manager_.reset();
  });
  signaling_thread_->Stop();
  network_thread_.reset();  // the signaling thread's object stays, for a peer's handle that says good-bye late
  pool_.reset();
}

bool Engine::owned_by_this_process() const { return getpid() == process_; }

ClockCounters Engine::clock_counters() const { return clock_ ? clock_->Counters() : ClockCounters{}; }

uint64_t Engine::dropped_packets() const { return outbox_ ? outbox_->dropped() : 0; }

}  // namespace telnyx
