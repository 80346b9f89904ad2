"""What an `ask` leaves behind, where it is stopped while the disk is slow."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from pathlib import Path

from tests.sitting import home_at
from vibedesk.desk import Desk
from vibedesk.engine.types import request_of
from vibedesk.store.database import Database
from vibedesk.terminal.record import Record


async def test_a_question_that_is_interrupted_while_it_is_written_down_is_kept_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    desk = Desk.open(home_at(tmp_path), cwd=tmp_path)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with desk.database.transaction():
            held.set()
            free.wait(20)

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(held.wait, 20)
    record = Record(desk, request_of("Hi"), via="", save=True)
    beginning = asyncio.create_task(record.begin([desk.route_for("demo/demo"), desk.route_for("demo/demo")]))
    await asyncio.sleep(0.05)
    beginning.cancel()
    await asyncio.wait([beginning])
    ending = asyncio.create_task(desk.close())
    await asyncio.sleep(0.05)
    free.set()
    await asyncio.gather(holding, ending)
    with closing(Database(desk.paths.database)) as kept:
        counts = [kept.execute(f"SELECT count(*) FROM {name}")[0][0] for name in ("conversations", "answers")]
    assert counts in ([1, 2], [0, 0])
