"""Tasks that end with what has started them."""

from __future__ import annotations

import asyncio

from telnyx_native.gateway.tasks import Tasks, running


async def note_the_end(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def test_closing_ends_what_still_runs() -> None:
    tasks, ended = Tasks(), []
    for name in ("one", "other"):
        tasks.start(note_the_end(ended, name))
    tasks.start(asyncio.sleep(0))
    await asyncio.sleep(0.01)
    await tasks.close()
    assert sorted(ended) == ["one", "other"]


async def test_what_runs_beside_a_block_ends_with_it() -> None:
    ended: list[str] = []
    async with running(note_the_end(ended, "beside")):
        await asyncio.sleep(0)
    assert ended == ["beside"]
