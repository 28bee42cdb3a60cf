from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_native.config import (
    PRODUCTION_ICE_SERVERS,
    AnonymousConfig,
    AudioConfig,
    CredentialConfig,
    IceServer,
    Region,
    TelnyxConfig,
    Timeouts,
    TokenConfig,
    TxServerConfiguration,
    route,
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


PRODUCTION = TxServerConfiguration.production()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (Region.AUTO, "rtc.telnyx.com"),
        (Region.EU, "eu.rtc.telnyx.com"),
        (Region.EU_WEST, "eu.rtc.telnyx.com"),
        (Region.US_CENTRAL, "us-central.rtc.telnyx.com"),
        (Region.US_EAST, "us-east.rtc.telnyx.com"),
        (Region.US_WEST, "us-west.rtc.telnyx.com"),
        (Region.CA_CENTRAL, "ca-central.rtc.telnyx.com"),
        (Region.APAC, "apac.rtc.telnyx.com"),
        (Region.SOUTH_ASIA, "south-asia.rtc.telnyx.com"),
    ],
)
def test_hosts(region: Region, host: str) -> None:
    regional = PRODUCTION.in_region(region)
    assert regional.host == host
    assert regional.ice_servers is PRODUCTION.ice_servers


def test_development_has_regions_too() -> None:
    assert TxServerConfiguration.development().in_region(Region.EU).url == "wss://eu.rtcdev.telnyx.com"


@pytest.mark.parametrize("address", ["ws://127.0.0.1:8899", "wss://[::1]:8899", "wss://192.0.2.1"])
def test_address_has_no_regions(address: str) -> None:
    server = TxServerConfiguration.parse(address)
    assert server.in_region(Region.EU) == server


def test_name_below_localhost_is_local() -> None:
    server = TxServerConfiguration.parse("ws://localhost:8899").in_region(Region.EU)
    assert server.url == "ws://eu.localhost:8899"
    assert server.is_local
    assert server.ice_servers == ()
    assert not TxServerConfiguration("localhost.example").is_local


@pytest.mark.parametrize("config", [CredentialConfig("u", "p"), TokenConfig("t"), AnonymousConfig("a")])
def test_no_region_needs_no_fallback(config: TelnyxConfig) -> None:
    assert route(config, PRODUCTION) == (PRODUCTION, None)


def test_fallback_is_the_plain_host_unless_unwanted() -> None:
    regional = PRODUCTION.in_region(Region.APAC)
    assert route(CredentialConfig("u", "p", region=Region.APAC), PRODUCTION) == (regional, PRODUCTION)
    strict = TokenConfig("t", region=Region.APAC, fallback_on_region_failure=False)
    assert route(strict, PRODUCTION) == (regional, None)
