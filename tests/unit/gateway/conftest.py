from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager
from itertools import count
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect

from support.limit import LIMIT
from telnyx_native.errors import MediaError, SdpError
from telnyx_native.gateway import Gateway, GatewayLimits, User, VoiceApi, scripted_brain
from telnyx_native.gateway.server import EngineLease

OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=offer\r\n"


def no_layer():
    raise MediaError("nothing can be played here")


class FakePeer:
    """Stands in for a native peer: keeps a record of what is asked of it."""

    is_beyond_repair = False
    engine = SimpleNamespace(open_conference=lambda: None)
    joined = None

    def __init__(self):
        self.done = []
        self.closed = False
        self.audio = self.create_audio()

    def create_audio(self):
        return SimpleNamespace(muted=False, layer=no_layer, clear=lambda: None)

    async def create_offer(self, *, ice_restart=False):
        self.done.append(("create_offer", ice_restart))
        return "offer without candidates"

    async def create_answer(self, offer):
        if "bad" in offer:
            raise SdpError("no good")
        self.done.append(("create_answer", offer))
        return "answer without candidates"

    async def set_answer(self, answer):
        if "bad" in answer:
            raise SdpError("no good")
        self.done.append(("set_answer", answer))

    def is_with(self, description):
        return "another" not in description

    async def gathered(self, *, limit=1.0):
        return "v=0 complete"

    async def add_candidate(self, candidate, sdp_mid, sdp_mline_index):
        if "bad" in candidate:
            raise SdpError("no good")
        self.done.append(("add_candidate", candidate, sdp_mid, sdp_mline_index))

    async def wait_connected(self, timeout):
        pass

    def echo(self):
        self.done.append("echo")

    def require_open(self):
        pass

    def enter(self, join):
        self.done.append("enter")

    def leave(self):
        self.done.append("leave")

    def hold(self, held):
        self.done.append(("hold", held))

    async def take_over(self, predecessor):
        self.done.append(("take_over", predecessor))
        predecessor.closed = True

    async def close(self):
        self.closed = True


class FakeNetwork:
    """Stands in for the network of a peer: keeps what happens to its packets."""

    def __init__(self):
        self.sending = SimpleNamespace(conditions=None)
        self.receiving = SimpleNamespace(conditions=None)
        self.rebound = 0

    def rebind(self):
        self.rebound += 1


class RawClient:
    """A client that speaks frames: sends what it is told and keeps all it gets, in order."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self._unread = deque()
        self._ids = (f"client-{n}" for n in count(1))

    async def send(self, frame):
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def request(self, method, **params):
        """Send a request; return its id."""
        message_id = next(self._ids)
        await self.send({"jsonrpc": "2.0", "id": message_id, "method": method, "params": params})
        return message_id

    async def ask(self, method, **params):
        """Send a request and return the whole answer."""
        message_id = await self.request(method, **params)
        return await self.frame(lambda frame: frame.get("id") == message_id and "method" not in frame)

    async def expect(self, method):
        """Return the next request of the server with this method."""
        return await self.frame(lambda frame: frame.get("method") == method)

    async def frame(self, wanted=lambda frame: True):
        """Return the next frame that is wanted; the others wait for who wants them."""
        for frame in list(self._unread):
            if wanted(frame):
                self._unread.remove(frame)
                return frame
        async with asyncio.timeout(LIMIT):
            while True:
                frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if wanted(frame):
                    return frame
                self._unread.append(frame)

    def forget(self):
        """Forget the frames that came."""
        self.frames.clear()
        self._unread.clear()

    async def login(self, user="alice", password="secret", **params):
        answer = await self.ask("login", login=user, passwd=password, **params)
        if "result" in answer:
            await self.expect("telnyx_rtc.clientReady")
        return answer

    async def invite(self, destination, call_id="Call-1", **dialog):
        """Place a call; return the answer to the invite."""
        dialog = {"callID": call_id, "destination_number": destination, **dialog}
        return await self.ask("telnyx_rtc.invite", sdp=OFFER, dialogParams=dialog)

    async def place(self, destination, **dialog):
        """Place a call that is taken; return the answer to the invite."""
        answer = await self.invite(destination, **dialog)
        assert "result" in answer, answer
        return answer


@pytest.fixture
def peers(monkeypatch):
    """The fake peers that were made, in order."""
    made = []

    def create_peer(_lease, _network):
        made.append(FakePeer())
        return made[-1]

    monkeypatch.setattr(EngineLease, "create_network", lambda _lease: FakeNetwork())
    monkeypatch.setattr(EngineLease, "create_peer", create_peer)
    monkeypatch.setattr(EngineLease, "create_successor", lambda lease, _peer, network: create_peer(lease, network))
    return made


@pytest.fixture
def fake_peer():
    """The class of the peers, to change what they do."""
    return FakePeer


@pytest.fixture
def no_audio(monkeypatch):
    """Peers that never connect."""

    async def fail(_peer, timeout):
        raise MediaError("no path")

    monkeypatch.setattr(FakePeer, "wait_connected", fail)


@pytest.fixture
def limits():
    return GatewayLimits(close_time=2.0)


@pytest.fixture
async def gateway(peers, limits):
    users = [User("alice", "secret", "+15550100"), User("bob", "hidden", "+15550101")]
    voice_api = VoiceApi(["KEY-secret"])
    async with Gateway(users, limits=limits, assistants={"assistant": scripted_brain}, voice_api=voice_api) as gateway:
        yield gateway


@pytest.fixture
def open_client(gateway):
    """Opens a raw client, for `async with`."""

    @asynccontextmanager
    async def open_one(path="/"):
        async with connect(gateway.url + path) as socket:
            yield RawClient(socket)

    return open_one


@pytest.fixture
async def client(open_client):
    async with open_client() as client:
        yield client


@pytest.fixture
async def alice(client):
    await client.login()
    return client


@pytest.fixture
async def bob(open_client):
    async with open_client() as client:
        await client.login("bob", "hidden")
        yield client
