from __future__ import annotations


async def test_loopback_is_where_it_listens_by_default(gateway):
    assert gateway.url.startswith("ws://127.0.0.1:")
    sockets = gateway._listener._server.sockets
    assert [socket.getsockname()[0] for socket in sockets] == ["127.0.0.1"]
