// What our objects must agree on with the libwebrtc they are linked to.

#pragma once

#include "rtc_base/checks.h"

// Debian builds libwebrtc with its debug checks on, and several of its public classes have members only then. An
// object compiled with NDEBUG would see other layouts and silently corrupt memory.
static_assert(RTC_DCHECK_IS_ON, "compile without NDEBUG: libwebrtc was built with its debug checks on");
