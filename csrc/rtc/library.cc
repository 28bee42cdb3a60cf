#include "rtc/library.h"

#include "rtc/build_contract.h"
#include "rtc_base/logging.h"
#include "rtc_base/ssl_adapter.h"
#include "rtc_base/thread.h"

namespace telnyx {

void InitializeLibrary() {
  static const bool initialized = [] {
    rtc::LogMessage::LogToDebug(rtc::LS_NONE);
    rtc::LogMessage::SetLogToStderr(false);
    rtc::ThreadManager::Instance();  // made here, where it happens before any use
    return rtc::InitializeSSL();
  }();
  RTC_CHECK(initialized);
}

}  // namespace telnyx
