"""A telephone in a test: it calls and is called, speaks, and expects to hear something."""

from __future__ import annotations

import asyncio
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from telnyx_native.config import AudioConfig
from telnyx_native.errors import CallError
from telnyx_native.media.files import read_audio, write_wav
from telnyx_native.states import CallState
from telnyx_native.testing.recognition import (
    ReceivedAudio,
    Samples,
    SoundPattern,
    end_of_silence,
    end_of_speech,
    end_of_tone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native import Call, CallTerminationReason, TelnyxClient
    from telnyx_native.assistant import Role
    from telnyx_native.flow import Collector
    from telnyx_native.media.detectors import DtmfReceived

__all__ = ["Phone", "Sound"]

Sound = str | PathLike[str] | Samples
"""A sound file, or mono samples of 16 bits, `Phone.SAMPLE_RATE` a second."""


class Phone:
    """A user of a gateway in a test. It has one call at a time, and may have many one after the other.

    It listens all the time, from the moment the audio is connected. What it expects to hear must come in the order of
    the expectations: each looks at what was heard after the one before. An expectation that is not fulfilled is an
    `AssertionError` that says what was heard instead, and where the recording of it is.

    Args:
        client: Logged in.
        name: Who it is.
        recordings: The folder for recordings of what was not as expected.

    Attributes:
        client: The client, for whatever the phone itself does not offer.
        name: Who it is.
    """

    SAMPLE_RATE = 16_000
    """Hz of the samples that it speaks and hears."""

    SIMILARITY = 0.85
    """How similar a sound must be to be recognised; what comes through a call has about 0.95, other words of the same
    voice less than 0.8.
    """

    def __init__(self, client: TelnyxClient, name: str, recordings: Path) -> None:
        self.client = client
        self.name = name
        self._recordings = recordings
        self._incoming = client.incoming_calls.collect()
        self._ringing: Call | None = None
        self._call: Call | None = None
        self._received: ReceivedAudio | None = None
        self._received_all: list[ReceivedAudio] = []
        self._keys: Collector[DtmfReceived] | None = None

    def __repr__(self) -> str:
        return f"<Phone {self.name}, {self._call.state if self._call else 'no call yet'}>"

    # --- calling and being called ----------------------------------------------------------------------------------

    @property
    def current_call(self) -> Call:
        """The call, or the last one.

        Raises:
            CallError: There was none.
        """
        if self._call is None:
            raise CallError(f"{self.name} has not called anybody, and was not called")
        return self._call

    async def dial(
        self,
        destination: str,
        *,
        from_: str | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Place a call, and do not wait for the answer.

        Args:
            destination: A user, a number, a group, or a destination of the gateway.
            from_: The number that the other side sees; the user's own by default.
            name: The name that the other side sees; the user's own by default.
            headers: SIP headers for the other side.
        """
        call = await self.client.new_invite(
            destination, name, from_, custom_headers=headers, audio=AudioConfig(dtmf_tones=True)
        )
        self._begin(call)

    async def call(
        self,
        destination: str,
        *,
        from_: str | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = 10.0,
    ) -> None:
        """Place a call, and wait until it is answered; see `dial` for the arguments.

        Raises:
            CallError: It ended instead; the message says why.
            WaitTimeoutError: It was not answered within that many seconds.
        """
        await self.dial(destination, from_=from_, name=name, headers=headers)
        await self.current_call.wait_active(within)

    async def rings(self, *, within: float = 10.0) -> Call:
        """Wait until somebody calls; return the call, for `answer` or `reject` to take.

        Raises:
            AssertionError: Nobody calls within that many seconds.
        """
        try:
            async with asyncio.timeout(within):
                while self._ringing is None or self._ringing.state != CallState.RINGING:
                    self._ringing = await anext(self._incoming)
        except TimeoutError:
            raise AssertionError(f"nobody has called {self.name} within {within:g} s") from None
        return self._ringing

    async def answer(self, *, within: float = 10.0) -> None:
        """Wait until somebody calls, and answer.

        Raises:
            AssertionError: Nobody calls within that many seconds.
        """
        call = await self.rings(within=within)
        await call.accept(audio=AudioConfig(dtmf_tones=True))
        self._begin(call)
        await call.wait_active(within)

    async def reject(self, *, within: float = 10.0) -> None:
        """Wait until somebody calls, and refuse.

        Raises:
            AssertionError: Nobody calls within that many seconds.
        """
        await (await self.rings(within=within)).reject()

    async def hang_up(self) -> None:
        """End the call."""
        await self.current_call.end()

    async def wait_hung_up(self, *, within: float = 10.0) -> CallTerminationReason:
        """Wait until the call is over; return why.

        Raises:
            AssertionError: It is not over within that many seconds.
        """
        try:
            return await asyncio.wait_for(self.current_call.wait_done(), within)
        except TimeoutError:
            raise self._failure("the call to end", within) from None

    async def close(self) -> None:
        """Hang up, and free the call; leaving the fixture does it."""
        if self._call is not None:
            await self._call.end()
        for received in self._received_all:
            await received.close()

    # --- speaking --------------------------------------------------------------------------------------------------

    async def say(self, sound: Sound) -> None:
        """Speak; return when all was said.

        Raises:
            AudioClosedError: The call ended first.
        """
        audio = self.current_call.audio
        await audio.write(self._samples(sound).data)
        await audio.drain()

    async def press(self, keys: str) -> None:
        """Press keys: any of 0-9, *, # and A-D."""
        await self.current_call.dtmf(keys)

    async def write(self, text: str) -> None:
        """Write to the AI assistant at the other end."""
        await self.client.send_ai_assistant_message(text)

    # --- expecting -------------------------------------------------------------------------------------------------

    async def hears(self, sound: Sound, *, within: float = 10.0, similarity: float = SIMILARITY) -> None:
        """Expect to hear a sound, to its end: words of the bot, a jingle.

        Args:
            sound: The sound.
            within: Seconds, from now on, until it must have begun.
            similarity: How similar it must be, 0 to 1.

        Raises:
            AssertionError: It is not heard.
            ConfigurationError: It cannot be recognised: it is silent, too short, or the same all the time.
        """
        pattern = SoundPattern(self._samples(sound), self.SAMPLE_RATE)
        best = 0.0

        def look(heard: Samples) -> int | None:
            nonlocal best
            match = pattern.find(heard)
            best = max(best, match.similarity)
            return match.end if match.similarity >= similarity else None

        what = str(sound) if isinstance(sound, str | PathLike) else "a sound"
        longest = within + pattern.length / self.SAMPLE_RATE
        await self._expect(
            look, what, longest, lambda: f"; the most similar sound was similar by {best:.2f}, less than {similarity}"
        )

    async def hears_tone(self, hz: float, *, within: float = 10.0, tolerance: float = 5.0) -> None:
        """Expect to hear a tone.

        Args:
            hz: Its frequency.
            within: Seconds, from now on.
            tolerance: How far off the frequency may be, in Hz.

        Raises:
            AssertionError: It is not heard.
        """
        await self._expect(
            lambda heard: end_of_tone(heard, self.SAMPLE_RATE, hz, tolerance), f"a tone of {hz:g} Hz", within
        )

    async def hears_speech(self, *, within: float = 10.0) -> None:
        """Expect that somebody speaks, whatever is said.

        Raises:
            AssertionError: Nobody does within that many seconds.
        """
        await self._expect(lambda heard: end_of_speech(heard, self.SAMPLE_RATE), "somebody to speak", within)

    async def hears_silence(self, seconds: float = 1.0, *, within: float = 10.0) -> None:
        """Expect that nothing is to be heard for some time: the bot waits, or was interrupted.

        Raises:
            AssertionError: It is never that long silent within that many seconds.
        """
        await self._expect(
            lambda heard: end_of_silence(heard, self.SAMPLE_RATE, seconds), f"{seconds:g} s of silence", within
        )

    async def hears_keys(self, keys: str, *, within: float = 10.0) -> None:
        """Expect keys that the other side presses, beside the sound or in it.

        Raises:
            AssertionError: Others are pressed, or not all within that many seconds.
        """
        assert self._keys is not None, f"{self.name} has no call"  # noqa: S101 - of a test
        pressed = ""
        try:
            async with asyncio.timeout(within):
                while len(pressed) < len(keys) and (key := await anext(self._keys, None)):
                    pressed += key.key
        except TimeoutError:
            pass
        if pressed != keys:
            raise self._failure(f"the keys {keys}", within, f"; the keys were {pressed or 'none'}")

    async def reads(self, text: str, *, by: Role = "assistant", within: float = 10.0) -> None:
        """Expect a text in the transcript of the conversation with an AI assistant.

        Args:
            text: The text, or a part of a turn that contains it.
            by: Who says it: `assistant` or `user`.
            within: Seconds, from now on.

        Raises:
            AssertionError: It does not appear.
        """
        updates = self.client.transcript_update_flow.collect()
        transcript = self.client.ai.transcript
        try:
            async with asyncio.timeout(within):
                while not any(item.role == by and text in item.content for item in transcript):
                    transcript = await anext(updates)
        except (TimeoutError, StopAsyncIteration):
            said = "".join(f"\n  {item.role}: {item.content}" for item in transcript)
            raise AssertionError(f"{text!r} was not said within {within:g} s, but this:{said or ' nothing'}") from None

    # --- what was heard --------------------------------------------------------------------------------------------

    @property
    def heard(self) -> Samples:
        """All that was heard in the call so far, at most the last ten minutes."""
        return self._received.heard if self._received else np.zeros(0, np.int16)

    def save(self, file: str | Path) -> None:
        """Write what was heard in the call to a WAV file."""
        write_wav(file, self.heard.data, self.SAMPLE_RATE)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, call: Call) -> None:
        self._call = call
        self._received = ReceivedAudio(call.audio)
        self._received_all.append(self._received)
        self._keys = call.dtmf_flow.collect()

    def _samples(self, sound: Sound) -> Samples:
        if isinstance(sound, str | PathLike):
            return read_audio(Path(sound), self.SAMPLE_RATE)
        return np.asarray(sound, np.int16)

    async def _expect(
        self,
        look: Callable[[Samples], int | None],
        what: str,
        within: float,
        details: Callable[[], str] = lambda: "",
    ) -> None:
        if self._received is None:
            raise CallError(f"{self.name} has no call in which it could hear something")
        if not await self._received.expect(look, within):
            raise self._failure(what, within, details())

    def _failure(self, what: str, within: float, details: str = "") -> AssertionError:
        """Return the error that something was not heard."""
        text = f"{self.name} has waited {within:.2g} s for {what}{details}"
        if self._received is not None and len(self.heard):
            self._recordings.mkdir(parents=True, exist_ok=True)
            file = self._recordings / f"{self.name}-{self.current_call.call_id}.wav"
            self.save(file)
            text += f". {self._received.summary()}; listen to it: {file}"
        return AssertionError(f"{text}. The call is {self.current_call.state}.")
