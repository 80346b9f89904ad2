"""What is slow to import is imported in a thread, once, however many wait for it."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from vibedesk.state.loading import loaded

SLOW = """
import threading, time
thread = threading.current_thread()
time.sleep(0.2)
whole = True
"""


async def test_the_loop_turns_while_a_module_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module_of_a_test.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    turns = 0
    waiting = [asyncio.ensure_future(loaded("slow_module_of_a_test")) for _ in range(4)]
    while not all(one.done() for one in waiting):
        await asyncio.sleep(0.005)
        turns += 1
        if "slow_module_of_a_test" in sys.modules:  # it stands there, and is not whole yet
            waiting.append(asyncio.ensure_future(loaded("slow_module_of_a_test"))) if len(
                waiting
            ) < 6 else None
    await asyncio.gather(*waiting)
    module = sys.modules.pop("slow_module_of_a_test")
    assert module.whole
    assert module.thread is not threading.current_thread()
    assert turns > 5
