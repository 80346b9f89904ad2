"""The whole program while it streams for long: `python -m tests.benchmarks.soak PORT SECONDS`.

Real engine, real sockets, the page shown; four lanes, answer after answer, in conversations that are left for new ones.
Prints a line of JSON each time it looks, always as a conversation ends: seconds, resident MB, answers, failures so far.
The last line is printed after the last conversation was left and the heap given back.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from PySide6.QtWidgets import QApplication

from tests.benchmarks.window import HEIGHT, WIDTH, folder, home, megabytes, run, trim_heap, until
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.state.playground import Playground

LANES = 4
RATE = 300
"""Tokens a second and lane."""
ANSWER_S = 20.0
CONVERSATION_S = 120.0
PATIENCE_S = 600.0
"""It may run beside everything else at the lowest priority."""


class Soak:
    """`stream` asks until the time is over; what was asked and what failed is counted."""

    def __init__(self, playground: Playground, seconds: float) -> None:
        self._playground, self._seconds = playground, seconds
        self._conversation_s = min(CONVERSATION_S, seconds / 10)
        self._answers = self._failed = 0
        self._opened = 0
        self._began = time.perf_counter()
        playground.conversation_opened.connect(self._note_opened)

    async def stream(self) -> None:
        next_look, ends = min(CONVERSATION_S, self._seconds / 10), self._conversation_s
        while self._passed() < self._seconds:
            while self._passed() < min(ends, self._seconds):
                await self._ask()
            ends += self._conversation_s
            if self._passed() >= min(next_look, self._seconds):
                print(json.dumps(self.look()), flush=True)
                next_look += self._seconds / 10
            await self._leave()
        gc.collect()
        trim_heap()
        await asyncio.sleep(0.2)

    def look(self) -> tuple[float, float, int, int]:
        return self._passed(), megabytes(), self._answers, self._failed

    async def _ask(self) -> None:
        lanes = self._playground.lanes
        asked = [len(lane.exchanges) for lane in lanes]
        self._playground.ask("Go")
        await until(lambda: [len(lane.exchanges) for lane in lanes] > asked, PATIENCE_S)
        await until(lambda: self._playground.running, PATIENCE_S)
        await until(
            lambda: not self._playground.running and not any(lane.waiting_to_be_drawn for lane in lanes),
            PATIENCE_S,
        )
        self._answers += len(lanes)
        self._failed += sum(lane.phase != "complete" for lane in lanes)

    async def _leave(self) -> None:
        before = self._opened
        self._playground.new_conversation()
        await until(lambda: self._opened > before, PATIENCE_S)
        await asyncio.sleep(0.1)

    def _note_opened(self) -> None:
        self._opened += 1

    def _passed(self) -> float:
        return time.perf_counter() - self._began


async def soak(app: QApplication, port: int, seconds: float) -> tuple[float, float, int, int]:
    answer_s = min(ANSWER_S, seconds / 60)
    with folder() as place:
        desk = await asyncio.to_thread(lambda: Desk.open(home(place, port), cwd=place))
        desk.settings.set("lanes.last", [f"lab/draw-{RATE}-{answer_s:g}"] * LANES)
        program = Sitting(app, desk)
        await program.begin()
        program.window.show_page("playground")
        program.window.resize(WIDTH, HEIGHT)
        soaking = Soak(program.playground, seconds)
        await soaking.stream()
        last = soaking.look()
        await program.end()
        return last


if __name__ == "__main__":
    run(lambda app: soak(app, int(sys.argv[1]), float(sys.argv[2])))
