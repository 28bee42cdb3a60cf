from __future__ import annotations

import re

from telnyx_native import __version__, versions


def test_every_library_inside_tells_its_version() -> None:
    told = versions()
    assert told.pop("telnyx-native") == __version__
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", told.pop("libwebrtc"))
    assert set(told) == {"openssl", "opus", "libsrtp"}
    for version in told.values():
        assert re.match(r"\d+\.\d+", version)
