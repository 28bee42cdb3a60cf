"""`python -m telnyx_native` is the command `telnyx-native`."""

from telnyx_native.cli import main

main()
