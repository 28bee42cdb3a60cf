// Whether the process may have more threads and file descriptors. libwebrtc ends the process when it gets none, or
// waits for ever for a thread that never began.

#pragma once

#include <cstddef>

namespace telnyx {

// Starts that many threads, which end at once.
bool MayHaveThreads(size_t count);

// Opens that many descriptors, and closes them again.
bool MayHaveDescriptors(size_t count);

// Throws std::runtime_error, which names the limit, unless there is room for both.
void RequireProcessLimits(size_t threads, size_t descriptors);

}  // namespace telnyx
