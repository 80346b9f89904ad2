"""Work that is not left half done: who is cancelled while it runs waits for its end, and is cancelled then."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any


async def to_the_end(work: Coroutine[Any, Any, object]) -> None:
    """Awaits `work`, however often it is cancelled meanwhile. Raises what `work` raises, else the cancellation."""
    task = asyncio.ensure_future(work)
    stopped: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:
            stopped = exc
    task.result()
    if stopped is not None:
        raise stopped


async def end_all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancels those that still run, and waits until none of them does."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
