from __future__ import annotations

import pytest

from telnyx_native.config import (
    AnonymousConfig,
    CredentialConfig,
    TelnyxConfig,
    TokenConfig,
    TxServerConfiguration,
    route,
)
from telnyx_native.region import Region

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
