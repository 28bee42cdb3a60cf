// libwebrtc's weak pointers, without the check that they are used on one thread only.
//
// A failed DTLS handshake is reported through a weak pointer on the network thread, while the peer connection that it
// points to is destroyed on the signaling thread. That is safe, since the transport is torn down first; but in a
// library with debug checks, as Debian builds it, it ends the process: any remote party could do that to us. Defining
// the functions here keeps the linker from pulling the archive member with the check.

#include "rtc_base/weak_ptr.h"

#include "rtc/build_contract.h"

namespace rtc::internal {

WeakReference::Flag::Flag() : is_valid_(true) {}
WeakReference::Flag::~Flag() = default;
void WeakReference::Flag::Invalidate() { is_valid_ = false; }
bool WeakReference::Flag::IsValid() const { return is_valid_; }

WeakReference::WeakReference() = default;
WeakReference::WeakReference(const Flag* flag) : flag_(flag) {}
WeakReference::~WeakReference() = default;
WeakReference::WeakReference(WeakReference&& other) = default;
WeakReference::WeakReference(const WeakReference& other) = default;
bool WeakReference::is_valid() const { return flag_.get() != nullptr && flag_->IsValid(); }

WeakReferenceOwner::WeakReferenceOwner() = default;
WeakReferenceOwner::~WeakReferenceOwner() { Invalidate(); }

WeakReference WeakReferenceOwner::GetRef() const {
  if (!HasRefs()) flag_ = new RefCountedObject<WeakReference::Flag>();
  return WeakReference(flag_.get());
}

void WeakReferenceOwner::Invalidate() {
  if (!flag_) return;
  flag_->Invalidate();
  flag_ = nullptr;
}

WeakPtrBase::WeakPtrBase() = default;
WeakPtrBase::~WeakPtrBase() = default;
WeakPtrBase::WeakPtrBase(const WeakReference& ref) : ref_(ref) {}

}  // namespace rtc::internal
