"""Importing what is slow to import, while the window goes on."""

from __future__ import annotations

import asyncio
import importlib
import sys


async def loaded(*modules: str) -> None:
    """Each of these modules is imported once this returns; what is not yet is imported in a thread."""
    for name in modules:
        if not _is_whole(name):
            await asyncio.to_thread(importlib.import_module, name)


def _is_whole(name: str) -> bool:
    """A module that another thread is still importing stands there already, and whoever touches it waits."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)
