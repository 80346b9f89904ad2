"""The program's memory: not looked through while answers stream, and given back when a conversation is left."""

from __future__ import annotations

import asyncio
import gc
import sys

AFTER_S = 1.0
"""The views of what was left are gone by then."""


class Spared:
    """Of what there is when answers begin to come nothing is garbage soon. To look through it all, as Python does every
    few seconds while words come, takes the window's thread some 30 ms: two frames of every lane."""

    def __init__(self) -> None:
        self._ours = False

    def begin(self) -> None:
        """From now on what there is already is left alone. Where somebody else has said so it is theirs to end."""
        if not gc.get_freeze_count():
            gc.freeze()
            self._ours = True

    def end(self) -> None:
        """It is looked through again, when Python thinks it is time."""
        if self._ours:
            gc.unfreeze()
            self._ours = False


async def give_back() -> None:
    """In a moment. The GNU C library keeps freed pages between others that are in use for as long as it can (man
    malloc_trim); elsewhere they go back by themselves."""
    await asyncio.sleep(AFTER_S)
    await asyncio.to_thread(trim)


def trim() -> None:
    """Now. Takes a millisecond or more: not for the window's thread."""
    if sys.platform != "linux":
        return
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # other C libraries have none
        library.malloc_trim(0)
