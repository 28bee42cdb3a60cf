from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.credential_api import API_KEY, CredentialApi, credential_api
from telnyx_native.call_control import CallControl, TransferOrder, outcome_among
from telnyx_native.errors import AuthenticationError, ConfigurationError, RestError
from telnyx_native.states import TransferOutcome

ORDER = TransferOrder("v3:1", "S9", "+15550102", "+15550100", {"X-Reason": "billing"}, 20.5)


@pytest.fixture
async def api() -> AsyncIterator[CredentialApi]:
    async with credential_api() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("telnyx._base_client.MAX_RETRY_DELAY", 0.01)


def hangup(cause: str, mark: str = "mine") -> tuple[str, dict[str, Any]]:
    return "call.hangup", {"client_state": mark, "hangup_cause": cause}


BRIDGED = ("call.bridged", {"event": {"payload": {"client_state": "mine"}}})


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([], None),
        ([("call.initiated", {"client_state": "mine"}), ("call.answered", {"client_state": "mine"})], None),
        ([BRIDGED], TransferOutcome.BRIDGED),
        ([BRIDGED, hangup("normal_clearing")], TransferOutcome.BRIDGED),
        ([hangup("user_busy")], TransferOutcome.BUSY),
        ([hangup("call_rejected")], TransferOutcome.REJECTED),
        ([hangup("timeout")], TransferOutcome.NO_ANSWER),
        ([hangup("not_found")], TransferOutcome.WRONG_NUMBER),
        ([hangup("something new")], TransferOutcome.UNREACHABLE),
        ([hangup("user_busy", "another's"), ("call.bridged", {"client_state": "another's"})], None),
        ([("call.hangup", None), ("call.hangup", [1]), ("call.hangup", {"client_state": None})], None),
        ([("call.bridged", {"a": {"b": {"c": {"d": {"e": {"client_state": "mine"}}}}}})], None),
    ],
)
def test_what_events_say(events: list[tuple[str, object]], outcome: TransferOutcome | None) -> None:
    assert outcome_among(events, "mine") is outcome


async def test_what_a_command_says(api: CredentialApi) -> None:
    async with CallControl(API_KEY, api.url).open() as opened:
        assert await opened.outcome(ORDER) is None
        await opened.command(ORDER)
        assert await opened.outcome(ORDER) is TransferOutcome.BUSY
    (said,) = api.transfers
    assert said == {
        "to": "+15550102",
        "from": "+15550100",
        "timeout_secs": 21,
        "custom_headers": [{"name": "X-Reason", "value": "billing"}],
        "target_leg_client_state": ORDER.mark,
        "command_id": ORDER.mark,
    }


async def test_key_that_is_not_good(api: CredentialApi) -> None:
    async with CallControl("KEY-wr0ng", api.url).open() as opened:
        with pytest.raises(AuthenticationError, match="the API key is not good") as failure:
            await opened.command(ORDER)
    assert "wr0ng" not in f"{failure.value!r}"


async def test_api_that_fails(api: CredentialApi) -> None:
    api.failure = 503
    async with CallControl(API_KEY, api.url).open() as opened:
        with pytest.raises(RestError, match="503") as failure:
            await opened.command(ORDER)
        assert failure.value.code == 503
        with pytest.raises(RestError, match="refused to tell what became of the transfer"):
            await opened.outcome(ORDER)


async def test_api_that_is_not_there() -> None:
    async with CallControl(API_KEY, "http://127.0.0.1:1/v2").open() as opened:
        with pytest.raises(RestError, match="was not reached"):
            await opened.command(ORDER)


def test_the_key_is_shown_to_nobody() -> None:
    control = CallControl(API_KEY)
    assert API_KEY not in f"{control!r} {control.api_key} {control.api_key!r}"


def test_empty_key() -> None:
    with pytest.raises(ConfigurationError, match="api_key is empty"):
        CallControl("")
