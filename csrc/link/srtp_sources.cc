// Stands between libwebrtc and libSRTP's three functions by the linker's --wrap; see rtc/srtp_sources.h.

#include "rtc/srtp_sources.h"

#include <srtp2/srtp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

extern "C" {
srtp_err_status_t __real_srtp_unprotect(srtp_t session, void* packet, int* length);
srtp_err_status_t __real_srtp_unprotect_rtcp(srtp_t session, void* packet, int* length);
srtp_err_status_t __real_srtp_dealloc(srtp_t session);
srtp_err_status_t __wrap_srtp_unprotect(srtp_t session, void* packet, int* length);
srtp_err_status_t __wrap_srtp_unprotect_rtcp(srtp_t session, void* packet, int* length);
srtp_err_status_t __wrap_srtp_dealloc(srtp_t session);
}

namespace telnyx {

namespace {

using Clock = std::chrono::steady_clock;
using Unprotect = decltype(__real_srtp_unprotect);

constexpr int kRtpSource = 8;  // where the SSRC is (RFC 3550, 5.1 and 6.4)
constexpr int kRtcpSource = 4;

std::atomic<uint64_t> refused_packets{0};

// The sources of one session, in the byte order of the network as libSRTP has them.
class Sources {
 public:
  // Whether the source is known, or may become so.
  bool Admits(uint32_t source) {
    const auto found = std::ranges::find(known_, source, &Known::source);
    if (found != known_.end()) {
      found->heard = ++clock_;
      return true;
    }
    const Clock::time_point now = Clock::now();
    const double passed = std::chrono::duration<double>(now - counted_).count();
    allowance_ = std::min(SrtpSources::kBurst, allowance_ + passed * SrtpSources::kPerSecond);
    counted_ = now;
    return allowance_ >= 1;
  }

  // A valid packet of the source came.
  void Keep(uint32_t source, srtp_t session) {
    if (std::ranges::find(known_, source, &Known::source) != known_.end()) return;
    allowance_ -= 1;
    if (known_.size() == SrtpSources::kMaxSources) {
      const auto oldest = std::ranges::min_element(known_, {}, &Known::heard);
      srtp_remove_stream(session, oldest->source);
      known_.erase(oldest);
    }
    known_.push_back({source, ++clock_});
  }

 private:
  struct Known {
    uint32_t source;
    uint64_t heard;
  };

  std::vector<Known> known_;
  uint64_t clock_ = 0;
  double allowance_ = SrtpSources::kBurst;
  Clock::time_point counted_ = Clock::now();
};

// A session is of one network thread, but every engine has one.
class Sessions {
 public:
  srtp_err_status_t Decrypt(Unprotect* unprotect, srtp_t session, void* packet, int* length, int where) {
    uint32_t source = 0;
    if (*length < where + static_cast<int>(sizeof source)) return srtp_err_status_bad_param;
    std::memcpy(&source, static_cast<const char*>(packet) + where, sizeof source);
    {
      const std::lock_guard lock(mutex_);
      if (!sources_[session].Admits(source)) {
        refused_packets.fetch_add(1, std::memory_order_relaxed);
        return srtp_err_status_no_ctx;
      }
    }
    const srtp_err_status_t status = unprotect(session, packet, length);
    if (status == srtp_err_status_ok) {
      const std::lock_guard lock(mutex_);
      sources_[session].Keep(source, session);
    }
    return status;
  }

  void Forget(srtp_t session) {
    const std::lock_guard lock(mutex_);
    sources_.erase(session);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<srtp_t, Sources> sources_;
};

// Never destroyed: calls may end after static objects do.
Sessions& AllSessions() {
  static Sessions& sessions = *new Sessions;
  return sessions;
}

}  // namespace

uint64_t SrtpSources::refused() { return refused_packets.load(std::memory_order_relaxed); }

}  // namespace telnyx

srtp_err_status_t __wrap_srtp_unprotect(srtp_t session, void* packet, int* length) {
  return telnyx::AllSessions().Decrypt(__real_srtp_unprotect, session, packet, length, telnyx::kRtpSource);
}

srtp_err_status_t __wrap_srtp_unprotect_rtcp(srtp_t session, void* packet, int* length) {
  return telnyx::AllSessions().Decrypt(__real_srtp_unprotect_rtcp, session, packet, length, telnyx::kRtcpSource);
}

srtp_err_status_t __wrap_srtp_dealloc(srtp_t session) {
  telnyx::AllSessions().Forget(session);
  return __real_srtp_dealloc(session);
}
