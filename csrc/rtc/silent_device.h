// An audio device that neither plays nor records.

#pragma once

#include "modules/audio_device/include/audio_device.h"
#include "modules/audio_device/include/audio_device_default.h"

namespace telnyx {

// libwebrtc wants a device to start when the first call does. Our media clock takes the place of its callbacks.
class SilentDevice : public webrtc::webrtc_impl::AudioDeviceModuleDefault<webrtc::AudioDeviceModule> {
 public:
  int32_t StartPlayout() override {
    playing_ = true;
    return 0;
  }
  int32_t StopPlayout() override {
    playing_ = false;
    return 0;
  }
  bool Playing() const override { return playing_; }

 private:
  bool playing_ = false;
};

}  // namespace telnyx
