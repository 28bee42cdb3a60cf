#include "rtc/conference.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rtc/build_contract.h"
#include "rtc/port_track.h"

namespace telnyx {

Conference::Conference(uint64_t id, std::shared_ptr<AudioPort> port) : id_(id), port_(std::move(port)) {
  if (!port_) return;
  hearing_ = std::make_unique<Hearing>(port_.get());
  seat_ = mix_.Add(mix_.Prepare(port_->sample_rate()));
  seat_->set_heard(true);
  seat_->set_hears(true);
}

bool Conference::Add(PortTrack* track, bool heard, MixMinus::Preparation preparation) {
  MixMinus::Seat* const seat = closed_ ? nullptr : mix_.Add(std::move(preparation));
  if (seat == nullptr) return false;
  members_.push_back({track, seat, heard, false});
  return true;
}

bool Conference::SetHeard(PortTrack* track, bool heard) {
  bool any = false;
  for (Member& member : members_) {
    if (member.track != track || member.leaving) continue;
    member.heard = heard;
    any = true;
  }
  return any;
}

void Conference::Remove(PortTrack* track) {
  for (Member& member : members_) {
    if (member.track != track) continue;
    member.leaving = true;
    member.seat->Leave();
  }
}

void Conference::Forget(PortTrack* track) {
  Remove(track);
  Replace(track, nullptr);
}

void Conference::Replace(PortTrack* track, PortTrack* next) {
  for (Member& member : members_)
    if (member.track == track) member.track = next;
}

void Conference::Close() {
  closed_ = true;
  for (Member& member : members_) {
    member.leaving = true;
    member.seat->Leave();
  }
  if (seat_ != nullptr) seat_->Leave();
}

bool Conference::active() const {
  return (seat_ != nullptr && !seat_->gone()) ||
         std::any_of(members_.begin(), members_.end(), [](const Member& member) { return !member.seat->gone(); });
}

void Conference::Sweep() {
  std::erase_if(members_, [](const Member& member) { return member.seat->gone(); });
  if (seat_ != nullptr && seat_->gone()) seat_ = nullptr;
  mix_.Sweep();
}

void Conference::Tick() {
  for (Member& member : members_) {
    if (member.track == nullptr) continue;
    const bool held = member.track->held();
    member.seat->set_heard(member.heard && !held);
    member.seat->set_hears(!held);
    if (const int16_t* received = member.track->received()) member.seat->Say(received);
  }
  ListenToApplication();
  mix_.Mix();
  for (Member& member : members_) {
    if (member.track == nullptr) continue;
    if (const float* heard = member.seat->heard()) member.track->Hear(heard);
  }
  TellApplication();
}

void Conference::ListenToApplication() {
  if (seat_ == nullptr) return;
  port_->TakePlayback(sent_.data());
  port_->ApplyMute(sent_.data());
  seat_->Say(sent_.data());
}

void Conference::TellApplication() {
  if (seat_ == nullptr || seat_->heard() == nullptr) return;  // it is closed
  std::array<int16_t, AudioPort::kMaxFrame> frame;
  std::transform(seat_->heard(), seat_->heard() + port_->frame_size(), frame.begin(), ToSample);
  port_->PushCapture(frame.data(), port_->frame_size());
  hearing_->Listen(frame.data(), nullptr);
  port_->Sent(sent_.data());
}

}  // namespace telnyx
