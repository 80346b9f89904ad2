"""The owner of coroutines: nothing it started outlives it, and no crash goes unheard."""

from __future__ import annotations

import asyncio

import pytest

from vibedesk.state.tasks import Tasks


async def test_a_task_runs_under_its_name_and_is_let_go_when_it_ends() -> None:
    tasks = Tasks()
    gate = asyncio.Event()

    async def answer() -> int:
        await gate.wait()
        return 42

    task = tasks.start(answer(), name="answer")
    assert tasks.names() == ("answer",)
    gate.set()
    assert await task == 42
    await asyncio.sleep(0)
    assert tasks.names() == ()


async def test_closing_waits_until_every_task_has_cleaned_up() -> None:
    tasks, cleaned = Tasks(), []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(number)

    for number in range(3):
        tasks.start(work(number), name=f"work {number}")
    await asyncio.sleep(0)
    await tasks.close()
    assert sorted(cleaned) == [0, 1, 2]
    assert tasks.names() == ()


async def test_closing_twice_is_harmless() -> None:
    tasks = Tasks()
    await tasks.close()
    await tasks.close()


async def test_after_closing_nothing_starts_any_more() -> None:
    tasks = Tasks()
    await tasks.close()

    async def late() -> None: ...

    with pytest.raises(RuntimeError, match="late"):
        tasks.start(late(), name="late")


async def test_a_crash_is_told_by_name_and_a_cancellation_is_none() -> None:
    tasks, told = Tasks(), []
    tasks.crashed.connect(lambda name, error: told.append((name, str(error))))

    async def fail() -> None:
        raise ValueError("no such thing")

    async def wait() -> None:
        await asyncio.sleep(60)

    tasks.start(fail(), name="fail")
    tasks.start(wait(), name="wait").cancel()
    await asyncio.sleep(0.02)
    assert told == [("fail", "no such thing")]


async def test_closing_does_not_cancel_what_is_run_to_the_end_nor_what_is_begun_on_the_way_out() -> None:
    tasks, done = Tasks(), []

    async def write(what: str) -> None:
        await asyncio.sleep(0.02)
        done.append(what)

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            tasks.start(write("on the way out"), name="write", to_the_end=True)

    tasks.start(work(), name="work")
    await asyncio.sleep(0)
    tasks.start(write("before its first step"), name="write", to_the_end=True)
    await tasks.close()
    assert done == ["before its first step", "on the way out"]
    with pytest.raises(RuntimeError, match="late"):
        tasks.start(write("late"), name="late", to_the_end=True)
