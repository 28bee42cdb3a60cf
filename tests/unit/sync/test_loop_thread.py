"""Coroutines that other threads wait for."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from telnyx_native.sync.loop_thread import LoopThread


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_what_a_coroutine_returns_or_raises() -> None:
    loop = LoopThread()

    async def fail() -> None:
        raise LookupError("nothing")

    assert loop.run(double, 21) == 42
    with pytest.raises(LookupError, match="nothing"):
        loop.run(fail)
    loop.close()


def test_nothing_runs_after_the_end() -> None:
    loop = LoopThread()
    loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that was never awaited
        with pytest.raises(RuntimeError, match="closed"):
            loop.run(double, 1)
        gc.collect()


@pytest.mark.parametrize("name", ["_require_other_thread", "_loop"])
def test_ctrl_c_before_anything_has_begun_leaves_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It may come between any two lines."""

    def interrupt(_: LoopThread) -> None:
        raise KeyboardInterrupt

    loop = LoopThread()
    with monkeypatch.context() as interrupted, warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that was never awaited
        interrupted.setattr(
            LoopThread, name, interrupt if name.startswith("_require") else property(interrupt), raising=False
        )
        for begin in (lambda: loop.run(double, 1), lambda: loop.call(lambda: 1)):
            with pytest.raises(KeyboardInterrupt):
                begin()
        gc.collect()
    assert loop.run(double, 21) == 42
    loop.close()
