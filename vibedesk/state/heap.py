"""Memory that was freed, back to the system: what a left conversation took should not stay with the program."""

from __future__ import annotations

import asyncio
import gc
import sys

AFTER_S = 1.0
"""The views of what was left are gone by then."""


async def give_back() -> None:
    """In a moment. Views and lanes know one another, so what was left waits for Python's collector, and may wait long:
    it is called, which takes some 20 ms. The GNU C library keeps freed pages between others that are in use for as long
    as it can (man malloc_trim); elsewhere they go back by themselves."""
    await asyncio.sleep(AFTER_S)
    gc.collect()
    await asyncio.to_thread(trim)


def trim() -> None:
    """Now. Takes a millisecond or more: not for the window's thread."""
    if sys.platform != "linux":
        return
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # other C libraries have none
        library.malloc_trim(0)
