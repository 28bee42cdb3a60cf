// How native threads tell Python: queues with one file descriptor that an event loop watches.

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "audio/spsc_ring.h"

namespace telnyx {

enum class EventKind {
  kDone,             // an operation without a result succeeded
  kFailed,           // an operation failed; text: why
  kDescription,      // text: the local description
  kStats,            // text: the W3C statistics as JSON
  kCandidate,        // text, mid, index: a local candidate
  kGatheringDone,    // no more local candidates; text: why there may be fewer than there should be, if that is so
  kConnectionState,  // text: new, connecting, connected, disconnected, failed or closed
  kDtlsState,        // text: new, connecting, connected, closed or failed
  kFirstPacket,      // the first audio of the remote party has arrived
};

struct Event {
  static constexpr uint64_t kUnasked = 0;  // for `operation`: it is the reply to none

  uint64_t peer;
  uint64_t operation;
  EventKind kind;
  std::string text;
  std::string mid;
  int index = 0;
};

// What an AudioPort reports through its clock: which of AudioPort::Readiness came true.
struct ReadyPort {
  uint64_t peer;
  unsigned readiness;
};

// Events go through a short lock, since only control threads post them. Readiness comes from the media clock and so
// goes through a lock-free ring; a port has at most one entry in it per arming.
class Mailbox {
 public:
  // `event_fd`: a non-blocking eventfd, readable whenever something is here.
  explicit Mailbox(int event_fd);

  // Any native thread. Beyond kMaxEvents the event is counted and dropped: nobody has read for very long then.
  void Post(Event event);

  // The clock's thread. False if the ring is full: report again at the next tick.
  bool PostReady(ReadyPort ready) { return ready_.Push(ready); }
  void Wake();

  // The reading thread. Acknowledge first, then take until empty.
  void Acknowledge();
  std::optional<Event> TakeEvent();
  std::optional<ReadyPort> TakeReady() { return ready_.Pop(); }

  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  static constexpr size_t kMaxEvents = 65536;
  static constexpr size_t kMaxReady = 16384;

 private:
  const int event_fd_;
  std::mutex mutex_;
  std::deque<Event> events_;
  std::atomic<uint64_t> dropped_{0};
  SpscRing<ReadyPort, kMaxReady> ready_;
};

}  // namespace telnyx
