#include "rtc/media_clock.h"

#include <time.h>

#include <cerrno>

#include "rtc/build_contract.h"

namespace telnyx {

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kPeriod = kNanosPerSecond / AudioPort::kTicksPerSecond;
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
    track->set_live(true);
    calls_.push_back({peer, track, 0});
  }
  work_.Set();
}

void MediaClock::Remove(PortTrack* track) {
  const std::lock_guard lock(mutex_);
  track->set_live(false);
  std::erase_if(calls_, [track](const Call& call) { return call.track == track; });
  for (const Call& call : calls_)
    if (call.track->join_target() == track) call.track->JoinTo(nullptr);
}

void MediaClock::Replace(PortTrack* track, uint64_t peer, PortTrack* next) {
  const std::lock_guard lock(mutex_);
  next->JoinTo(track->join_target());
  track->JoinTo(nullptr);
  track->set_live(false);
  next->set_live(true);
  for (Call& call : calls_) {
    if (call.track == track) call = {peer, next, call.unreported};
    if (call.track->join_target() == track) call.track->JoinTo(next);
  }
}

void MediaClock::Synchronized(const std::function<void()>& between_ticks) {
  const std::lock_guard lock(mutex_);
  between_ticks();
}

ClockCounters MediaClock::Counters() const {
  return {ticks_.load(std::memory_order_relaxed), late_.load(std::memory_order_relaxed),
          skipped_.load(std::memory_order_relaxed)};
}

void MediaClock::Run() {
  int64_t due = Now();
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (Idle()) {
      work_.Wait(rtc::Event::kForever, /*warn_after=*/rtc::Event::kForever);
      due = Now();
      continue;
    }
    due += kPeriod;
    SleepUntil(due);
    due += MakeUp(Now() - due);
    Tick();
  }
}

bool MediaClock::Idle() {
  const std::lock_guard lock(mutex_);
  return calls_.empty();
}

int64_t MediaClock::MakeUp(int64_t behind) {
  if (behind > kPeriod) late_.fetch_add(1, std::memory_order_relaxed);
  if (behind <= kMaxCatchUp) return 0;
  const int64_t periods = behind / kPeriod;
  skipped_.fetch_add(static_cast<uint64_t>(periods), std::memory_order_relaxed);
  return periods * kPeriod;
}

void MediaClock::Tick() {
  const std::lock_guard lock(mutex_);
  mixer_->PullAll();
  for (const Call& call : calls_) call.track->Send();
  Report();
  ticks_.fetch_add(1, std::memory_order_relaxed);
}

void MediaClock::Report() {
  bool any = false;
  for (Call& call : calls_) {
    call.unreported |= call.track->port().TakeReadiness();
    if (call.unreported != 0 && mailbox_->PostReady({call.peer, call.unreported})) {
      call.unreported = 0;
      any = true;
    }
  }
  if (any) mailbox_->Wake();
}

}  // namespace telnyx
