from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.limit import LIMIT
from telnyx_native.client import TelnyxClient
from telnyx_native.config import AudioCodec, AudioConfig, CredentialConfig, Limits, Timeouts, TxServerConfiguration
from telnyx_native.errors import ConfigurationError
from telnyx_native.events import RemoteParty
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer

CALL_ID = "0B6F0B9E-7a0e-4e8e-9a63-0f1d7f6a9d11"


async def test_own_call_id(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("echo", call_id=CALL_ID)
    assert call.call_id == CALL_ID
    assert server.sent("telnyx_rtc.invite")[0]["params"]["dialogParams"]["callID"] == CALL_ID
    assert online.calls[CALL_ID.lower()] is call
    with pytest.raises(ConfigurationError, match="already"):
        await online.new_invite("echo", call_id=CALL_ID.lower())


@pytest.mark.parametrize("call_id", ["", "call 7", CALL_ID[1:], f"{CALL_ID}\n", f"{{{CALL_ID}}}"])
async def test_what_is_no_call_id(online: TelnyxClient, call_id: str) -> None:
    with pytest.raises(ConfigurationError, match="is no call id"):
        await online.new_invite("echo", call_id=call_id)
    assert online.calls == {}


async def test_call_that_begins_muted(online: TelnyxClient, server: ScriptedServer) -> None:
    assert (await online.new_invite("echo", muted=True)).muted
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    call = await anext(incoming)
    await call.accept(muted=True)
    assert call.muted
    call.unmute()
    assert not call.muted


async def test_preferred_codecs_are_named_to_the_server(online: TelnyxClient, server: ScriptedServer) -> None:
    await online.new_invite("echo", preferred_codecs=[AudioCodec.PCMA, AudioCodec.OPUS])
    dialog = server.sent("telnyx_rtc.invite")[0]["params"]["dialogParams"]
    assert [codec["mimeType"] for codec in dialog["preferred_codecs"]] == ["audio/PCMA", "audio/opus"]


async def test_those_of_the_audio_are_named_unless_the_call_has_its_own(
    online: TelnyxClient, server: ScriptedServer
) -> None:
    await online.new_invite("echo", audio=AudioConfig.telephone())
    await online.new_invite("echo", audio=AudioConfig.telephone(), preferred_codecs=[AudioCodec.G722])
    told = [request["params"]["dialogParams"]["preferred_codecs"] for request in server.sent("telnyx_rtc.invite")]
    named = [[codec["mimeType"] for codec in codecs] for codecs in told]
    assert named == [["audio/PCMU", "audio/PCMA"], ["audio/G722"]]


async def test_what_is_no_codec(online: TelnyxClient, server: ScriptedServer) -> None:
    with pytest.raises(ConfigurationError, match="AudioCodec"):
        AudioConfig(preferred_codecs=("PCMU",))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="AudioCodec"):
        await online.new_invite("echo", preferred_codecs=["PCMU"])  # type: ignore[list-item]
    assert online.calls == {}
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER)
    call = await anext(incoming)
    with pytest.raises(ConfigurationError, match="AudioCodec"):
        await call.accept(preferred_codecs=["PCMU"])  # type: ignore[list-item]
    assert call.state is CallState.RINGING


async def test_display_tells_who_is_there(online: TelnyxClient, server: ScriptedServer) -> None:
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=OFFER, caller_id_name="Bob", caller_id_number="+1")
    call = await anext(incoming)
    parties = call.remote_party_flow.collect()
    server.push("telnyx_rtc.display", callID="C1", display_name="Carol", display_number="+2")
    server.push("telnyx_rtc.display", callID="C1", display_number="+3")
    await call.remote_party_flow.wait_for(RemoteParty("Carol", "+3"), timeout=LIMIT)
    assert (call.caller_name, call.caller_number) == ("Carol", "+3")
    await call.end()
    assert [party async for party in parties] == [
        RemoteParty("Bob", "+1"), RemoteParty("Carol", "+2"), RemoteParty("Carol", "+3"),
    ]  # fmt: skip


async def test_display_of_a_call_placed_here(online: TelnyxClient, server: ScriptedServer) -> None:
    call = await online.new_invite("support", caller_name="Alice")
    assert call.remote_party == RemoteParty("", "support")
    server.push("telnyx_rtc.display", callID=call.call_id, display_name="Desk 7")
    await call.remote_party_flow.wait_for(RemoteParty("Desk 7", "support"), timeout=LIMIT)
    assert call.caller_name == "Alice"


async def test_calls_beyond_the_limit_are_busy(
    timeouts: Timeouts, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine, until: Any
) -> None:
    async with TelnyxClient(timeouts=timeouts, limits=Limits(ringing_calls=2)) as client:
        await client.connect(TxServerConfiguration.parse(server.address), credentials)
        incoming = client.incoming_calls.collect()
        for n in range(4):
            server.push("telnyx_rtc.invite", callID=f"C{n}", sdp=OFFER)
        await until(lambda: len(server.sent("telnyx_rtc.bye")) == 2)
        assert (client.refused_calls, list(client.calls)) == (2, ["c0", "c1"])
        assert {bye["params"]["cause"] for bye in server.sent("telnyx_rtc.bye")} == {"USER_BUSY"}
        first = await anext(incoming)
        await first.accept()
        server.push("telnyx_rtc.invite", callID="C5", sdp=OFFER)
        await until(lambda: "c5" in client.calls)
        assert client.calls["c5"].state is CallState.RINGING
        assert [(await anext(incoming)).call_id for _ in range(2)] == ["C1", "C5"]
    await asyncio.sleep(0)


def test_limits_are_checked() -> None:
    with pytest.raises(ConfigurationError):
        Limits(ringing_calls=0)


@pytest.mark.parametrize(
    ("destination", "dialled"),
    [
        ("+1 (555) 010-0199", "+15550100199"),
        ("\u202a+1\u00a0555.010.0199\u202c", "+15550100199"),
        ("+15550100199", "+15550100199"),
        ("bob-1", "bob-1"),
        ("12-34", "12-34"),
        ("sip:bob@example.com", "sip:bob@example.com"),
        ("tone:440", "tone:440"),
        ("555 0100 ext. 7", "555 0100 ext. 7"),
    ],
)
async def test_numbers_are_dialled_without_what_is_for_the_eye(
    online: TelnyxClient, server: ScriptedServer, destination: str, dialled: str
) -> None:
    call = await online.new_invite(destination)
    invite = await server.received("telnyx_rtc.invite")
    assert invite["params"]["dialogParams"]["destination_number"] == dialled
    assert call.destination_number == dialled
