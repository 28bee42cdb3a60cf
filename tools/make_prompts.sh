#!/bin/sh
# Regenerate the spoken prompts that ship with the package. Needs espeak-ng and the package itself.
set -eu
cd "$(dirname "$0")/.."
speech=$(mktemp --suffix=.wav)
trap 'rm -f "$speech"' EXIT

speak() { # FILE TEXT
    espeak-ng -v en-us+f4 -s 175 -p 45 -w "$speech" "$2"
    "${PYTHON:-python3}" - "$speech" "python/telnyx_native/assets/$1" <<'PYTHON'
import sys

import numpy as np
import soundfile

from telnyx_native.media.files import read_audio

RATE = 16_000
speech = read_audio(sys.argv[1], RATE).astype(np.float64)
speech *= 10 ** (-3 / 20) * 32767 / np.abs(speech).max()  # peaks at -3 dBFS
soundfile.write(sys.argv[2], speech.astype(np.int16), RATE, format="FLAC")
PYTHON
}

speak prompt.flac "Hello! This is Telnyx Native. If you hear this, the call works."
speak bot_greeting.flac "Hello! I am the example bot, and I say back what you say. Interrupt me whenever you like. The hash key hangs up."
