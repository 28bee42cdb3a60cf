#include "rtc/media_clock.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kPeriod = kNanosPerSecond / AudioPort::kTicksPerSecond;
constexpr int64_t kSlot = kPeriod / PullMixer::kSlots;
constexpr int64_t kMaxCatchUp = kNanosPerSecond;  // a machine that slept longer starts afresh

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

void SleepUntil(int64_t due) {
  const timespec when{static_cast<time_t>(due / kNanosPerSecond), static_cast<long>(due % kNanosPerSecond)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

}  // namespace

MediaClock::MediaClock(PullMixer* mixer, Mailbox* mailbox)
    : mixer_(mixer),
      mailbox_(mailbox),
      thread_(rtc::PlatformThread::SpawnJoinable(
          [this] { Run(); }, "telnyx-clock", rtc::ThreadAttributes().SetPriority(rtc::ThreadPriority::kRealtime))) {}

MediaClock::~MediaClock() {
  stopping_.store(true, std::memory_order_relaxed);
  work_.Set();
  thread_.Finalize();
}

void MediaClock::Add(uint64_t peer, PortTrack* track) {
  {
    const std::lock_guard lock(mutex_);
    track->set_due(RarestSlot());
    track->set_live(true);
    calls_.push_back({peer, track, 0});
  }
  work_.Set();
}

void MediaClock::Remove(PortTrack* track) {
  const std::lock_guard lock(mutex_);
  track->set_live(false);
  std::erase_if(calls_, [track](const Call& call) { return call.track == track; });
  for (const Room& room : rooms_) room.conference->Forget(track);
  Sweep();
  Align();
}

void MediaClock::Replace(PortTrack* track, uint64_t peer, PortTrack* next) {
  const std::lock_guard lock(mutex_);
  next->InheritFrom(*track);
  track->set_live(false);
  next->set_live(true);
  for (Call& call : calls_)
    if (call.track == track) call = {peer, next, call.unreported};
  for (const Room& room : rooms_) room.conference->Replace(track, next);
}

void MediaClock::Add(std::shared_ptr<Conference> conference) {
  {
    const std::lock_guard lock(mutex_);
    Sweep();
    rooms_.push_back({std::move(conference), 0, slot_.load(std::memory_order_relaxed) + 1});
  }
  work_.Set();
}

void MediaClock::RemoveFromConferences(PortTrack* track) {
  const std::lock_guard lock(mutex_);
  for (const Room& room : rooms_) room.conference->Remove(track);
  Align();
}

void MediaClock::Synchronized(const std::function<void()>& between_ticks) {
  {
    const std::lock_guard lock(mutex_);
    between_ticks();
    Align();
  }
  work_.Set();  // there may be something to do now
}

void MediaClock::Sweep() {
  for (const Room& room : rooms_) room.conference->Sweep();
  std::erase_if(rooms_, [](const Room& room) { return room.conference->closed() && !room.conference->active(); });
}

// Who is in a conference ticks with it: in the latest slot of all its members'.
void MediaClock::Align() {
  for (const Call& call : calls_) call.track->set_together(call.track->echoes());
  for (bool moved = true; std::exchange(moved, false);) {
    for (Room& room : rooms_) {
      int64_t due = room.due;
      room.conference->ForEachTrack([&due](PortTrack* track) { due = std::max(due, track->due()); });
      moved |= std::exchange(room.due, due) != due;
      room.conference->ForEachTrack([&](PortTrack* track) {
        moved |= track->due() != due;
        track->set_due(due);
        track->set_together(true);
      });
    }
  }
}

// The next slot in which as few calls as possible send.
int64_t MediaClock::RarestSlot() const {
  std::array<int, PullMixer::kSlots> calls{};
  for (const Call& call : calls_) ++calls[static_cast<size_t>(call.track->due() % PullMixer::kSlots)];
  const int64_t first = slot_.load(std::memory_order_relaxed) + 1;
  int64_t rarest = first;
  for (int64_t slot = first; slot < first + PullMixer::kSlots; ++slot)
    if (calls[static_cast<size_t>(slot % PullMixer::kSlots)] < calls[static_cast<size_t>(rarest % PullMixer::kSlots)])
      rarest = slot;
  return rarest;
}

ClockCounters MediaClock::Counters() const {
  return {ticks_.load(std::memory_order_relaxed), late_.load(std::memory_order_relaxed),
          skipped_.load(std::memory_order_relaxed)};
}

void MediaClock::Run() {
  int64_t began = Now();  // when slot 0 was
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int64_t next = NextDue();
    if (next == PullMixer::kNever) {
      work_.Wait(rtc::Event::kForever, /*warn_after=*/rtc::Event::kForever);
      began = Now() - slot_.load(std::memory_order_relaxed) * kSlot;
      continue;
    }
    SleepUntil(began + next * kSlot);
    began += MakeUp(Now() - began - next * kSlot);
    const int64_t before = slot_.exchange(next, std::memory_order_relaxed);
    Tick(next);
    ticks_.fetch_add(static_cast<uint64_t>(next / PullMixer::kSlots - before / PullMixer::kSlots),
                     std::memory_order_relaxed);
  }
}

int64_t MediaClock::NextDue() const {
  const std::lock_guard lock(mutex_);
  const auto active = [](const Room& room) { return room.conference->active(); };
  if (calls_.empty() && std::none_of(rooms_.begin(), rooms_.end(), active)) return PullMixer::kNever;
  int64_t next = mixer_->NextDue();
  for (const Call& call : calls_) next = std::min(next, call.track->due());
  for (const Room& room : rooms_) next = std::min(next, room.due);
  return std::max(next, slot_.load(std::memory_order_relaxed) + 1);
}

int64_t MediaClock::MakeUp(int64_t behind) {
  if (behind > kPeriod) late_.fetch_add(1, std::memory_order_relaxed);
  if (behind <= kMaxCatchUp) return 0;
  const int64_t periods = behind / kPeriod;
  skipped_.fetch_add(static_cast<uint64_t>(periods), std::memory_order_relaxed);
  return periods * kPeriod;
}

void MediaClock::Tick(int64_t slot) {
  const std::lock_guard lock(mutex_);
  mixer_->PullDue(slot);
  for (Room& room : rooms_) {
    if (room.due > slot) continue;
    room.conference->Tick();
    room.due = slot + PullMixer::kSlots;
  }
  for (const Call& call : calls_) {
    if (call.track->due() > slot) continue;
    call.track->Send();
    call.track->set_due(call.track->NextDue(slot));
  }
  Report();
}

void MediaClock::Report() {
  bool any = false;
  for (Call& call : calls_) any |= Report(call.peer, call.track->port(), call.unreported);
  for (Room& room : rooms_)
    if (AudioPort* const port = room.conference->port()) any |= Report(room.conference->id(), *port, room.unreported);
  if (any) mailbox_->Wake();
}

bool MediaClock::Report(uint64_t id, AudioPort& port, unsigned& unreported) {
  unreported |= port.TakeReadiness();
  if (unreported == 0 || !mailbox_->PostReady({id, unreported})) return false;
  unreported = 0;
  return true;
}

}  // namespace telnyx
