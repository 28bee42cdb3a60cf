from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_native.config import (
    PRODUCTION_ICE_SERVERS,
    AudioConfig,
    CredentialConfig,
    IceServer,
    Timeouts,
    TxServerConfiguration,
)
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (TxServerConfiguration(), "wss://rtc.telnyx.com"),
        (TxServerConfiguration.production(), "wss://rtc.telnyx.com"),
        (TxServerConfiguration.development(), "wss://rtcdev.telnyx.com"),
        (TxServerConfiguration.parse("ws://127.0.0.1:8899"), "ws://127.0.0.1:8899"),
        (TxServerConfiguration.parse("ws://[::1]:80/"), "ws://[::1]"),
        (TxServerConfiguration.parse("rtc.telnyx.com"), "wss://rtc.telnyx.com"),
        (TxServerConfiguration.parse("wss://host:8443"), "wss://host:8443"),
    ],
)
def test_server_url(server: TxServerConfiguration, url: str) -> None:
    assert server.url == url


@pytest.mark.parametrize(
    "address",
    ["", "http://x", "ws://", "ws://x:99999", "ws://x/path", "ws://x?y", "ws://u:p@x", "ws://a b", "ws://x:a"],
)
def test_bad_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError):
        TxServerConfiguration.parse(address)


def test_plain_server_on_this_machine_needs_no_ice_servers() -> None:
    assert TxServerConfiguration.parse("ws://localhost:1").ice_servers == ()
    assert TxServerConfiguration.parse("ws://10.0.0.1:1").ice_servers is PRODUCTION_ICE_SERVERS
    own = (IceServer(("stun:127.0.0.1:3478",)),)
    assert TxServerConfiguration("127.0.0.1", 1, secure=False, ice_servers=own).ice_servers == own


@pytest.mark.parametrize(
    "make",
    [
        lambda: TxServerConfiguration(port=0),
        lambda: TxServerConfiguration("a/b"),
        lambda: CredentialConfig("", "p"),
        lambda: CredentialConfig("u", ""),
        lambda: IceServer("stun:x"),  # type: ignore[arg-type]
        lambda: IceServer(()),
        lambda: IceServer(("http://x",)),
        lambda: AudioConfig(sample_rate=44_100),
        lambda: AudioConfig(playback_buffer=0),
        lambda: AudioConfig(capture_buffer=1e9),
        lambda: AudioConfig(max_backlog=20),
        lambda: Timeouts(login=0),
    ],
)
def test_what_cannot_work_is_refused_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_secrets_are_not_in_reprs() -> None:
    assert "hunter2" not in repr(CredentialConfig("u", "hunter2"))
    assert "hunter2" not in repr(IceServer(("turn:x",), "u", "hunter2"))
