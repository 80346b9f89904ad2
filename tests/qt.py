"""What tests that use Qt share: an asyncio loop that Qt turns, and no exception that gets lost in it.

In a coroutine wait with `asyncio.sleep`, never with `qtbot.waitUntil`: in its nested loop no other task runs.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from vibedesk.loop import new_loop

_lost: list[dict[str, Any]] = []


def qt_loop() -> asyncio.AbstractEventLoop:
    app = QApplication.instance() or QApplication(["test"])
    app.setQuitOnLastWindowClosed(False)  # else closing a widget stops the loop
    loop = new_loop(app)
    loop.set_exception_handler(lambda _loop, context: _lost.append(context))
    return loop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"qt": qt_loop}


@pytest.fixture(autouse=True)
def _no_exception_is_lost(qapp: QApplication) -> Iterator[None]:
    """Fails the test in which a task or callback raised what nobody saw: asyncio would only have logged it."""
    _lost.clear()
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # no loop runs that would do so
    gc.collect()  # a task nobody awaited tells of its exception when it is collected
    gc.freeze()  # what is left by now stays: not to be looked through again after every test
    found, _lost[:] = list(_lost), []
    problems = [repr(context.get("exception") or context["message"]) for context in found]
    assert not problems, "raised in the loop, seen by nobody: " + "; ".join(problems)
