"""The command `telnyx-native`."""

from __future__ import annotations

from telnyx_native.cli.app import app

__all__ = ["main"]


def main() -> None:
    """Run the command that the command line names."""
    app(prog_name="telnyx-native")
