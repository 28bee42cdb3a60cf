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
constexpr int64_t kPeriod = kNanosPerSecond / kTicksPerSecond;
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
    const ClockLock lock(mutex_);
    track->set_due(lock, RarestSlot(lock));
    track->set_live(lock, true);
    calls_.push_back({peer, track, 0});
  }
  work_.Set();
}

void MediaClock::Remove(PortTrack* track) {
  const ClockLock lock(mutex_);
  track->set_live(lock, false);
  std::erase_if(calls_, [track](const CallEntry& entry) { return entry.track == track; });
  for (const ConferenceEntry& entry : conferences_) entry.conference->Forget(lock, track);
  Sweep(lock);
  Align(lock);
}

void MediaClock::Replace(PortTrack* track, uint64_t peer, PortTrack* next) {
  const ClockLock lock(mutex_);
  next->InheritFrom(lock, *track);
  track->set_live(lock, false);
  next->set_live(lock, true);
  for (CallEntry& entry : calls_)
    if (entry.track == track) entry = {peer, next, entry.unreported};
  for (const ConferenceEntry& entry : conferences_) entry.conference->Replace(lock, track, next);
}

void MediaClock::Add(std::shared_ptr<Conference> conference) {
  {
    const ClockLock lock(mutex_);
    Sweep(lock);
    conferences_.push_back({std::move(conference), 0, slot_.load(std::memory_order_relaxed) + 1});
  }
  work_.Set();
}

void MediaClock::RemoveFromConferences(PortTrack* track) {
  const ClockLock lock(mutex_);
  for (const ConferenceEntry& entry : conferences_) entry.conference->Remove(lock, track);
  Align(lock);
}

void MediaClock::Synchronized(const std::function<void(const ClockLock&)>& between_ticks) {
  {
    const ClockLock lock(mutex_);
    between_ticks(lock);
    Align(lock);
  }
  work_.Set();  // there may be something to do now
}

void MediaClock::Sweep(const ClockLock& lock) {
  for (const ConferenceEntry& entry : conferences_) entry.conference->Sweep(lock);
  std::erase_if(conferences_, [&lock](const ConferenceEntry& entry) {
    return entry.conference->closed(lock) && !entry.conference->active(lock);
  });
}

// Who is in a conference ticks with it: in the latest slot of all its members'.
void MediaClock::Align(const ClockLock& lock) {
  for (const CallEntry& entry : calls_) entry.track->set_together(lock, entry.track->echoes(lock));
  for (bool moved = true; std::exchange(moved, false);) {
    for (ConferenceEntry& entry : conferences_) {
      int64_t due = entry.due;
      entry.conference->ForEachTrack(lock, [&](PortTrack* track) { due = std::max(due, track->due(lock)); });
      moved |= std::exchange(entry.due, due) != due;
      entry.conference->ForEachTrack(lock, [&](PortTrack* track) {
        moved |= track->due(lock) != due;
        track->set_due(lock, due);
        track->set_together(lock, true);
      });
    }
  }
}

// The next slot in which as few calls as possible send.
int64_t MediaClock::RarestSlot(const ClockLock& lock) const {
  std::array<int, PullMixer::kSlots> calls{};
  for (const CallEntry& entry : calls_) ++calls[static_cast<size_t>(entry.track->due(lock) % PullMixer::kSlots)];
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
  const ClockLock lock(mutex_);
  const auto active = [&lock](const ConferenceEntry& entry) { return entry.conference->active(lock); };
  if (calls_.empty() && std::none_of(conferences_.begin(), conferences_.end(), active)) return PullMixer::kNever;
  int64_t next = mixer_->NextDue();
  for (const CallEntry& entry : calls_) next = std::min(next, entry.track->due(lock));
  for (const ConferenceEntry& entry : conferences_) next = std::min(next, entry.due);
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
  const ClockLock lock(mutex_);
  mixer_->PullDue(slot);
  for (ConferenceEntry& entry : conferences_) {
    if (entry.due > slot) continue;
    entry.conference->Tick(lock);
    entry.due = slot + PullMixer::kSlots;
  }
  for (const CallEntry& entry : calls_) {
    if (entry.track->due(lock) > slot) continue;
    entry.track->Send(lock);
    entry.track->set_due(lock, entry.track->NextDue(lock, slot));
  }
  Report(lock);
}

void MediaClock::Report(const ClockLock&) {
  bool any = false;
  for (CallEntry& entry : calls_) any |= Report(entry.peer, entry.track->port(), entry.unreported);
  for (ConferenceEntry& entry : conferences_)
    if (AudioPort* const port = entry.conference->port())
      any |= Report(entry.conference->id(), *port, entry.unreported);
  if (any) mailbox_->Wake();
}

bool MediaClock::Report(uint64_t id, AudioPort& port, unsigned& unreported) {
  unreported |= port.TakeReadiness();
  if (unreported == 0 || !mailbox_->PostReady({id, unreported})) return false;
  unreported = 0;
  return true;
}

}  // namespace telnyx
