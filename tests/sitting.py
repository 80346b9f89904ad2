"""What tests of state and screen share: a real desk in a temporary home, a file vault, loopback providers."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from vibedesk.desk import Desk

ANTHROPIC_KEY = "sk-ant-api03-" + "x" * 93 + "AA"
GROQ_KEY = "gsk_" + "q" * 52
OPENAI_KEY = "sk-proj-" + "b" * 60
PASSPHRASE = "a passphrase for tests"


def home_at(folder: Path, addresses: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment whose home is `folder`, with a passphrase file, and providers moved to other addresses."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    blocks = [f'[providers.{name}]\nbase_url = "{url}"\n' for name, url in (addresses or {}).items()]
    (folder / "config" / "providers.toml").write_text("\n".join(blocks), encoding="utf-8")
    return {
        "VIBEDESK_HOME": str(folder),
        "VIBEDESK_VAULT": "file",
        "VIBEDESK_PASSPHRASE_FILE": str(folder / "passphrase"),
    }


@asynccontextmanager
async def desk_in(folder: Path, environ: Mapping[str, str]) -> Any:
    """A desk that is closed at the end."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=work))
    try:
        yield desk
    finally:
        await desk.close()


@contextmanager
def slow_disk(desk: Desk) -> Iterator[threading.Event]:
    """Nothing is written until the event is set, or the block is left."""
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with desk.database.transaction():
            held.set()
            free.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    try:
        yield free
    finally:
        free.set()
        holder.join()


class Late(NamedTuple):
    """`met` is set when there is somebody who is late, `free` when he may go on."""

    met: threading.Event
    free: threading.Event


@contextmanager
def late_thread(*, begins: bool) -> Iterator[Late]:
    """The first thing done in a thread in this block is late: it begins (or else ends) when it is set free."""
    loop, met, free = asyncio.get_running_loop(), threading.Event(), threading.Event()
    usual, first = loop.run_in_executor, iter([True])

    def run(executor: Any, work: Callable[..., Any], *args: Any) -> Any:
        def late() -> Any:
            met.set()
            if begins:
                free.wait(20)
            found = work(*args)
            if not begins:
                free.wait(20)
            return found

        return usual(executor, late) if next(first, False) else usual(executor, work, *args)

    loop.run_in_executor = run  # type: ignore[method-assign]
    try:
        yield Late(met, free)
    finally:
        free.set()
        del loop.run_in_executor


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits without a nested loop; fails when it takes too long."""
    for _ in range(round(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about in time")


async def rounds(number: int = 20) -> None:
    """Lets all that can happen by now happen."""
    for _ in range(number):
        await asyncio.sleep(0.005)


def played_in(
    scene_in: Callable[[Path], AbstractAsyncContextManager[Any]],
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., Coroutine[Any, Any, None]]]:
    """Gives a test its `scene`, and ends it inside the test.

    A fixture would end it later: pytest-qt turns Qt's loop once in between, when asyncio's is not running any more, and
    whatever the scene still does then fails.
    """

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
        wanted = [name for name in inspect.signature(test).parameters if name != "scene"]

        async def run(**given: Any) -> None:
            async with scene_in(given["tmp_path"]) as scene:
                await test(scene=scene, **{name: given[name] for name in wanted})

        kind = inspect.Parameter.KEYWORD_ONLY
        names = dict.fromkeys(["tmp_path", *wanted])
        run.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
        run.__module__ = test.__module__
        return run

    return decorate
