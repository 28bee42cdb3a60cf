// libwebrtc's global state.

#pragma once

namespace telnyx {

// Silences libwebrtc's log and makes its singletons. To be called before anything else of it is used; it lives as long
// as the process does, and further calls do nothing.
void InitializeLibrary();

}  // namespace telnyx
