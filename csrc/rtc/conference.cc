#include "rtc/conference.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rtc/build_contract.h"
#include "rtc/port_track.h"

namespace telnyx {

Conference::Conference(uint64_t id, std::shared_ptr<AudioPort> port) : id_(id), port_(std::move(port)) {
  if (!port_) return;
  detectors_ = std::make_unique<Detectors>(port_.get());
  seat_ = mix_.Add(mix_.Prepare(port_->sample_rate()));
  seat_->set_heard(true);
  seat_->set_hears(true);
}

bool Conference::Add(const ClockLock& lock, PortTrack* track, bool heard, MixMinus::Preparation preparation) {
  Sweep(lock);  // so that who has left takes no room
  MixMinus::Seat* const seat = closed_ ? nullptr : mix_.Add(std::move(preparation));
  if (seat == nullptr) return false;
  members_.push_back({track, seat, heard, false});
  return true;
}

bool Conference::SetHeard(const ClockLock&, PortTrack* track, bool heard) {
  bool any = false;
  for (Member& member : members_) {
    if (member.track != track || member.leaving) continue;
    member.heard = heard;
    any = true;
  }
  return any;
}

void Conference::Remove(const ClockLock&, PortTrack* track) {
  for (Member& member : members_) {
    if (member.track != track) continue;
    member.leaving = true;
    member.seat->Leave();
  }
}

void Conference::Forget(const ClockLock& lock, PortTrack* track) {
  Remove(lock, track);
  Replace(lock, track, nullptr);
}

void Conference::Replace(const ClockLock&, PortTrack* track, PortTrack* next) {
  for (Member& member : members_)
    if (member.track == track) member.track = next;
}

void Conference::Close(const ClockLock&) {
  closed_ = true;
  for (Member& member : members_) {
    member.leaving = true;
    member.seat->Leave();
  }
  if (seat_ != nullptr) seat_->Leave();
}

bool Conference::active(const ClockLock&) const {
  return (seat_ != nullptr && !seat_->gone()) ||
         std::any_of(members_.begin(), members_.end(), [](const Member& member) { return !member.seat->gone(); });
}

void Conference::Sweep(const ClockLock&) {
  std::erase_if(members_, [](const Member& member) { return member.seat->gone(); });
  if (seat_ != nullptr && seat_->gone()) seat_ = nullptr;
  mix_.Sweep();
}

void Conference::Tick(const ClockLock& lock) {
  for (Member& member : members_) {
    if (member.track == nullptr) continue;
    const bool held = member.track->held(lock);
    member.seat->set_heard(member.heard && !held);
    member.seat->set_hears(!held);
    if (const int16_t* received = member.track->received(lock)) member.seat->Say(received);
  }
  TakeFromApplication();
  mix_.Mix();
  for (Member& member : members_) {
    if (member.track == nullptr) continue;
    if (const float* heard = member.seat->heard()) member.track->MixIn(lock, heard);
  }
  GiveToApplication();
}

void Conference::TakeFromApplication() {
  if (seat_ == nullptr) return;
  port_->TakePlayback(sent_.data());
  port_->ApplyMute(sent_.data());
  port_->AddSignal(sent_.data());
  seat_->Say(sent_.data());
}

void Conference::GiveToApplication() {
  if (seat_ == nullptr || seat_->heard() == nullptr) return;  // it is closed
  std::array<int16_t, kMaxFrame> frame;
  std::transform(seat_->heard(), seat_->heard() + port_->frame_size(), frame.begin(), ToSample);
  port_->PushCapture(frame.data(), port_->frame_size());
  detectors_->Process(frame.data(), nullptr);
  port_->Sent(sent_.data());
}

}  // namespace telnyx
