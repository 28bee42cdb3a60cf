"""The native media engine, as an event loop sees it."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from telnyx_native.errors import MediaError
from telnyx_native.media.audio_processor import native_options
from telnyx_native.media.joins import PeerConference
from telnyx_native.media.native_engine import NativeEngine
from telnyx_native.media.peer import Peer
from telnyx_native.media.stream import AudioStream

if TYPE_CHECKING:
    from telnyx_native import _webrtc
    from telnyx_native.config import AudioConfig, PeerConfig
    from telnyx_native.media.simulated_network import SimulatedNetwork

__all__ = ["MediaEngine"]

logger = logging.getLogger(__name__)


class MediaEngine:
    """Threads, codecs and clock for all calls of one event loop.

    Clients and gateways of a loop share one engine: each acquires it and releases it, and the last one to release it
    closes it. Its threads never run Python: they leave what they have to say in a mailbox, whose file descriptor the
    loop watches.
    """

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, MediaEngine]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self._event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        except OSError as error:
            raise MediaError(f"the media engine cannot begin: {error.strerror}; raise RLIMIT_NOFILE") from error
        try:
            self._engine = NativeEngine(self._event_fd)
        except MediaError:
            os.close(self._event_fd)
            raise
        self._native = self._engine.native
        self._peers: dict[int, Peer] = {}
        self._streams: WeakValueDictionary[int, AudioStream] = WeakValueDictionary()  # of peers and conferences
        self._users = 0
        self._loop.add_reader(self._event_fd, self._on_mail)
        _open_engines.add(self._native)

    @classmethod
    def acquire(cls) -> MediaEngine:
        """Return the running loop's engine, starting it if there is none; `release` it when done.

        Raises:
            MediaError: The process may not have the threads or file descriptors that it takes.
        """
        loop = asyncio.get_running_loop()
        engine = cls._of_loop.get(loop)
        if engine is None:
            cls._close_orphans()
            engine = cls._of_loop[loop] = cls()
        engine._users += 1
        return engine

    async def release(self) -> None:
        """Give the engine back. The last user's release ends all calls and threads."""
        self._users -= 1
        if self._users == 0:
            self._engine.closed = True
            del self._of_loop[self._loop]
            await self._close()

    def create_peer(self, config: PeerConfig, audio: AudioConfig, *, network: SimulatedNetwork | None = None) -> Peer:
        """Make a peer for one call. It returns at once; what is wrong with `config` shows in its first operation.

        Args:
            config: How its audio finds its way.
            audio: How that is written and read.
            network: A bad network for its packets to go through; for tests.

        Raises:
            EngineClosedError: The engine was released.
            MediaError: The machine has none of the interfaces that `config` names.
        """
        return self._open(Peer(self._engine, AudioStream(audio), audio, standby=False), config, network, standby=False)

    def create_successor(self, peer: Peer, config: PeerConfig, *, network: SimulatedNetwork | None = None) -> Peer:
        """Make a peer that is to go on with the audio of `peer`, once it is connected: see `Peer.take_over`.

        Raises:
            EngineClosedError: The engine was released.
        """
        successor = Peer(self._engine, peer.audio, peer.audio_config, standby=True)
        return self._open(successor, config, network, standby=True)

    def create_conference(self, audio: AudioConfig) -> PeerConference:
        """Open a conference, in which the application takes part with `PeerConference.audio`.

        Raises:
            EngineClosedError: The engine was released.
        """
        stream = AudioStream(audio)
        native = self._engine.open_conference(stream)
        self._streams[native.id] = stream
        return PeerConference(self._engine, native, stream)

    def _open(self, peer: Peer, config: PeerConfig, network: SimulatedNetwork | None, *, standby: bool) -> Peer:
        if config.interfaces and not {name for _, name in socket.if_nameindex()}.intersection(config.interfaces):
            raise MediaError(f"this machine has no network interface {' or '.join(config.interfaces)}")
        operation, opened = self._engine.operation()
        processing, receiving = peer.audio_config.processing, peer.audio_config.receive_processing
        native = self._native.create_peer(
            operation,
            ice_servers=[(list(server.urls), server.username, server.password) for server in config.ice_servers],
            relay_only=config.relay_only,
            loopback=config.loopback,
            standby=standby,
            processing=None if processing is None else native_options(processing),
            # There is no loudspeaker whose echo could be in what is received.
            receive_processing=None
            if receiving is None
            else native_options(replace(receiving, echo_cancellation=False)),
            network=None if network is None else network.native,
            ports=(0, 0) if config.udp_ports is None else config.udp_ports,
            interfaces=list(config.interfaces),
            ipv6=config.ipv6,
            port=peer.audio._native_port(),  # noqa: SLF001 - an engine drives its streams
        )
        self._peers[native.id] = peer
        self._streams[native.id] = peer.audio
        peer.opened_by(native, opened)
        return peer

    @property
    def counters(self) -> dict[str, int]:
        """What the engine counts since it was made.

        `ticks` of the 10 ms clock, of them `late_ticks`, and `skipped_ticks`; `dropped_events`, for which the mailbox
        to Python had no room; `dropped_packets`, which a network thread that was stuck did not take; `refused_sources`,
        packets of remotes that sent from more sources (SSRCs) than a call has, in the whole process.
        """
        return self._native.counters()

    @classmethod
    def _close_orphans(cls) -> None:
        """Close engines that nobody can release any more, because their loop is closed."""
        for loop, engine in list(cls._of_loop.items()):
            if loop.is_closed():
                logger.warning("an event loop was closed without releasing its media engine; closing it now")
                engine.abort()

    def abort(self) -> None:
        """Close without an event loop."""
        del self._of_loop[self._loop]
        self._native.close()
        os.close(self._event_fd)

    async def _close(self) -> None:
        """Close on a thread of its own, since native threads are joined; the loop goes on meanwhile."""
        closed = asyncio.Event()

        def close() -> None:
            self._native.close()
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                self._loop.call_soon_threadsafe(closed.set)

        closer = threading.Thread(target=close, name="telnyx-close")
        try:
            closer.start()
        except RuntimeError:  # no room for a thread: the loop has to wait
            closed.set()
            self._native.close()
        await asyncio.shield(self._finish(closed, closer))

    async def _finish(self, closed: asyncio.Event, closer: threading.Thread) -> None:
        await closed.wait()
        if closer.ident is not None:
            closer.join()  # it has nothing left to do
        self._on_mail()
        self._loop.remove_reader(self._event_fd)
        os.close(self._event_fd)
        self._engine.fail_all()

    def _on_mail(self) -> None:
        for peer_id, operation, kind, text, mid, index in self._native.take_events():
            if operation:
                self._engine.settle(operation, kind, text)
            elif peer := self._peers.get(peer_id):
                peer.on_event(kind, text, mid, index)
                if peer.closed:
                    del self._peers[peer_id]
                    self._streams.pop(peer_id, None)
        for id_, readiness in self._native.take_ready():
            if stream := self._streams.get(id_):
                stream._on_ready(readiness)  # noqa: SLF001 - an engine drives its streams


_open_engines: WeakSet[_webrtc.Engine] = WeakSet()
# A forked child has none of the parent's threads, so nothing that it could join.
os.register_at_fork(after_in_child=_open_engines.clear)


@atexit.register
def _close_all() -> None:
    """Join native threads before the interpreter goes away, also for programs that never released their engine."""
    for engine in list(_open_engines):
        if not engine.closed:
            engine.close()
