#!/bin/sh
# Regenerate the spoken prompts that ship with the package and its examples. Needs espeak-ng and the package itself.
set -eu
cd "$(dirname "$0")/.."
speech=$(mktemp --suffix=.wav)
trap 'rm -f "$speech"' EXIT

speak() { # FILE TEXT [VOICE...]
    file=$1 text=$2
    shift 2
    [ $# -gt 0 ] || set -- -v en-us+f4 -s 175 -p 45
    espeak-ng "$@" -w "$speech" "$text"
    "${PYTHON:-python3}" - "$speech" "$file" <<'PYTHON'
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

assets=python/telnyx_native/assets
speak $assets/prompt.flac "Hello! This is Telnyx Native. If you hear this, the call works."
speak $assets/bot_greeting.flac "Hello! I am the example bot, and I say back what you say. Interrupt me whenever you like. The hash key hangs up."
speak $assets/voicemail.flac "Hello, you have reached the voicemail of Alex. Please leave a message after the tone."

sounds=examples/sounds
speak $sounds/menu.flac "Welcome. Press one for a tune, two to leave a message, or the hash key to hang up."
speak $sounds/message.flac "Speak after the tone. Press any key when you are done."
speak $sounds/goodbye.flac "Good bye!"
speak $sounds/please_hold.flac "One moment please, I am connecting you."
speak $sounds/briefing.flac "I have a caller for you, who asked for a person. I connect you now."
speak $sounds/digits.flac "four. two. nine. one." -v en-gb -s 150 # the one that a recogniser understands
