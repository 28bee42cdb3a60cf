"""Blocking work, on threads of this package's own.

The default executor is the application's: when its blocking work fills that, files and recordings go on here.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_background"]

MOST_THREADS = 16
"""They begin as they are needed. A disk that stands still holds those that write to it."""

P = ParamSpec("P")
T = TypeVar("T")

_executor: ThreadPoolExecutor | None = None


async def in_background(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, which runs on another thread meanwhile, in the same context.

    Raises:
        RuntimeError: The interpreter is about to end, and begins no more work.
    """
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="telnyx-background")
    call = partial(copy_context().run, work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor, call)


def _forget() -> None:
    """A forked child has none of the parent's threads."""
    global _executor
    _executor = None


os.register_at_fork(after_in_child=_forget)
