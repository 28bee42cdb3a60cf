"""The command `telnyx-native`."""

from __future__ import annotations

import io
import sys

from telnyx_native.cli.app import app

__all__ = ["main"]


def main() -> None:
    """Run the command that the command line names."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal or a pipe may know ASCII only
    app(prog_name="telnyx-native")
