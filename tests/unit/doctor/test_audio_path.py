from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.doctor.audio_path import _host_and_port, parse_response

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")

# The sample responses of RFC 5769, 2.2 and 2.3.
IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)


def test_the_samples_of_the_standard() -> None:
    assert parse_response(IPV4, TRANSACTION) == "192.0.2.1:32853"
    assert parse_response(IPV6, TRANSACTION) == "[2001:db8:1234:5678:11:2233:4455:6677]:32853"


def test_the_answer_to_somebody_else() -> None:
    assert parse_response(IPV4, bytes(12)) is None


@given(st.binary(max_size=80), st.integers(0, 80))
def test_nonsense_is_no_answer(nonsense: bytes, length: int) -> None:
    assert parse_response(IPV4[:20] + nonsense, TRANSACTION) is None or nonsense
    parse_response(IPV4[:length], TRANSACTION)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("stun:stun.telnyx.com:3478", ("stun.telnyx.com", 3478)),
        ("stun:stun.telnyx.com", ("stun.telnyx.com", 3478)),
        ("turn:turn.telnyx.com:443?transport=tcp", ("turn.telnyx.com", 443)),
        ("turns:turn.telnyx.com", ("turn.telnyx.com", 5349)),
        ("stun:[2001:db8::1]:99", ("2001:db8::1", 99)),
        ("stun:[2001:db8::1]", ("2001:db8::1", 3478)),
    ],
)
def test_addresses(url: str, expected: tuple[str, int]) -> None:
    assert _host_and_port(url) == expected
