"""The window's loop: asyncio's order, cancellation, errors and timers, turned by Qt."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEventLoop as NestedLoop
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from vibedesk.loop import QtLoop, new_loop

T = TypeVar("T")
Run = Callable[[Callable[[], Awaitable[T]]], T]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere it is qasync's own loop"
)


@pytest.fixture
def lost() -> list[dict[str, Any]]:
    """What the loop's exception handler was told."""
    return []


@pytest.fixture
def run(qapp: QApplication, lost: list[dict[str, Any]]) -> Iterator[Run[Any]]:
    qapp.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: new_loop(qapp)) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: lost.append(context))
        yield lambda what: runner.run(what())  # type: ignore[arg-type]


def test_the_window_runs_on_it(qapp: QApplication) -> None:
    loop = new_loop(qapp)
    assert isinstance(loop, QtLoop)
    loop.close()
    assert loop.is_closed()


def test_callbacks_run_in_the_order_they_were_asked_for(run: Run[list[int]]) -> None:
    async def what() -> list[int]:
        loop, ran = asyncio.get_running_loop(), []
        for number in range(100):
            loop.call_soon(ran.append, number)
            if number == 50:
                loop.call_soon(lambda: loop.call_soon(ran.append, 1000))
        await asyncio.sleep(0.02)
        return ran

    assert run(what) == [*range(100), 1000]


def test_a_cancelled_callback_does_not_run(run: Run[list[str]]) -> None:
    async def what() -> list[str]:
        loop, ran = asyncio.get_running_loop(), []
        loop.call_soon(ran.append, "soon").cancel()
        loop.call_later(0.005, ran.append, "later").cancel()
        loop.call_at(loop.time() + 0.005, ran.append, "at")
        await asyncio.sleep(0.03)
        return ran

    assert run(what) == ["at"]


def test_an_exception_in_a_callback_goes_to_the_handler_and_stops_nothing(
    run: Run[list[str]], lost: list[dict[str, Any]]
) -> None:
    async def what() -> list[str]:
        loop, ran = asyncio.get_running_loop(), []
        loop.call_soon(lambda: 1 / 0)
        loop.call_soon(ran.append, "after")
        await asyncio.sleep(0.01)
        return ran

    assert run(what) == ["after"]
    assert [type(context["exception"]) for context in lost] == [ZeroDivisionError]


def test_an_exit_in_a_callback_leaves_the_loop(qapp: QApplication) -> None:
    loop = new_loop(qapp)

    def leave() -> None:
        raise SystemExit(3)

    loop.call_later(0.005, leave)
    with pytest.raises(SystemExit):
        loop.run_forever()
    loop.close()


def test_timers_run_by_their_time_and_never_too_early(run: Run[list[tuple[int, float]]]) -> None:
    async def what() -> list[tuple[int, float]]:
        loop = asyncio.get_running_loop()
        began, ran = loop.time(), []
        for ms in (30, 5, 20, 10, 1):
            loop.call_later(ms / 1000, lambda ms=ms: ran.append((ms, loop.time() - began)))
        await asyncio.sleep(0.06)
        return ran

    ran = run(what)
    assert [ms for ms, _ in ran] == [1, 5, 10, 20, 30]
    assert all(ms / 1000 <= late for ms, late in ran)


def test_a_sooner_timer_is_not_held_up_by_a_later_one(run: Run[float]) -> None:
    async def what() -> float:
        loop = asyncio.get_running_loop()
        far = loop.call_later(60, print)
        began = loop.time()
        await asyncio.sleep(0.01)
        far.cancel()
        return loop.time() - began

    assert run(what) < 5


def test_other_threads_wake_it(run: Run[float]) -> None:
    async def what() -> float:
        loop = asyncio.get_running_loop()
        told = loop.create_future()
        began = time.monotonic()
        thread = threading.Timer(0.02, lambda: loop.call_soon_threadsafe(told.set_result, None))
        thread.start()
        await asyncio.wait_for(told, 10)
        thread.join()
        await asyncio.to_thread(time.sleep, 0)
        return time.monotonic() - began

    assert 0.02 <= run(what) < 5


def test_context_goes_along(run: Run[list[str]]) -> None:
    name = contextvars.ContextVar("name", default="none")

    async def what() -> list[str]:
        heard: list[str] = []
        asyncio.get_running_loop().call_soon(lambda: heard.append(name.get()))
        context = contextvars.copy_context()
        context.run(name.set, "given")
        asyncio.get_running_loop().call_soon(lambda: heard.append(name.get()), context=context)
        await asyncio.sleep(0.005)
        return heard

    assert run(what) == ["none", "given"]


def test_a_cancelled_task_ends_with_its_clean_up(run: Run[list[str]]) -> None:
    async def what() -> list[str]:
        said: list[str] = []

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)
                said.append("cleaned up")

        task = asyncio.create_task(work())
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.Event().wait()
        return said

    assert run(what) == ["cleaned up"]


def test_sockets_are_read_written_and_left_alone_when_paused(run: Run[tuple[bytes, bool]]) -> None:
    async def what() -> tuple[bytes, bool]:
        here, there = socket.socketpair()
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection(sock=here)
        there.setblocking(False)
        sent = b"x" * 3_000_000  # more than the socket holds: the writer has to wait for room
        writer.write(sent)
        got = b""
        while len(got) < len(sent):
            got += await loop.sock_recv(there, 1 << 20)
        writer.transport.pause_reading()
        there.send(b"hello")
        await asyncio.sleep(0.02)
        early = bool(reader._buffer)  # type: ignore[attr-defined]
        writer.transport.resume_reading()
        answer = await reader.readexactly(5)
        writer.close()
        there.close()
        return answer, early

    assert run(what) == (b"hello", False)


def test_qt_gets_its_turn_while_callbacks_never_end(run: Run[int]) -> None:
    """A storm of callbacks is cut into slices, with Qt's own timers between them."""

    async def what() -> int:
        ticks: list[int] = []
        timer = QTimer(interval=5)
        timer.timeout.connect(lambda: ticks.append(1))
        timer.start()
        until = time.monotonic() + 0.2
        while time.monotonic() < until:  # noqa: ASYNC110  the storm itself
            await asyncio.sleep(0)
        timer.stop()
        return len(ticks)

    assert run(what) >= 8


def test_a_loop_of_qt_inside_a_callback_holds_asyncio_up_and_breaks_nothing(run: Run[list[str]]) -> None:
    async def what() -> list[str]:
        said: list[str] = []
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        loop.add_reader(here, lambda: (here.recv(10), said.append("read")))
        nested = NestedLoop()
        QTimer.singleShot(10, lambda: there.send(b"x"))
        QTimer.singleShot(40, lambda: (said.append("dialog closed"), nested.quit()))
        nested.exec()
        await asyncio.sleep(0.02)
        loop.remove_reader(here)
        here.close()
        there.close()
        return said

    assert run(what) == ["dialog closed", "read"]


def test_a_generator_left_lying_is_closed_in_the_loop(
    run: Run[list[str]], lost: list[dict[str, Any]]
) -> None:
    async def what() -> list[str]:
        said: list[str] = []

        async def numbers() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                said.append("closed")

        async for _ in numbers():
            break
        gc.collect()
        await asyncio.sleep(0.01)
        return said

    assert run(what) == ["closed"]
    assert lost == []


def test_a_signal_is_heard(run: Run[bool]) -> None:
    async def what() -> bool:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, heard.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(heard.wait(), 5)
        return loop.remove_signal_handler(signal.SIGUSR1)

    assert run(what)


def test_it_can_be_run_again(run: Run[int]) -> None:
    async def what() -> int:
        await asyncio.sleep(0.001)
        return 1

    assert [run(what), run(what)] == [1, 1]


def test_idle_it_does_nothing(run: Run[float]) -> None:
    async def what() -> float:
        await asyncio.sleep(0.05)
        began = time.process_time()
        await asyncio.sleep(0.5)
        return time.process_time() - began

    assert run(what) < 0.1
