"""The whole program while it streams for long: `python -m tests.benchmarks.soak PORT SECONDS RATE`.

Real engine, real sockets, the page shown; four lanes, answer after answer, in conversations that are left for new ones.
Prints a line of JSON each time it looks, always as a conversation ends: seconds streamed, resident MB, answers and
failures so far. The last line is printed after the last conversation was left and the heap given back.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from tests.benchmarks.window import HEIGHT, WIDTH, folder, home, megabytes, run, trim_heap, until
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.state.playground import Playground

LANES = 4
ANSWER_S = 20.0
CONVERSATION = 6
"""Questions in each; 20 s of streaming are an answer."""
PATIENCE_S = 600.0
"""It may run beside everything else at the lowest priority."""

Look = tuple[float, float, int, int]
"""Seconds streamed, resident MB, answers so far, how many of them failed."""


class Soak:
    """`stream` asks until that many seconds were streamed; what was asked and what failed is counted.

    A machine that was stopped meanwhile has not streamed: answers count, not the clock.
    """

    def __init__(self, playground: Playground, seconds: float, answer_s: float) -> None:
        self._playground, self._answer_s = playground, answer_s
        self._rounds = max(CONVERSATION, round(seconds / answer_s / CONVERSATION) * CONVERSATION)
        self._asked = self._answers = self._failed = self._opened = 0
        playground.conversation_opened.connect(self._note_opened)

    async def stream(self, tell: Callable[[Look], None]) -> None:
        """Looks after the first conversation and after every tenth of the way, always as a conversation ends."""
        next_look = 0.0
        while self._asked < self._rounds:
            for _ in range(CONVERSATION):
                await self._ask()
            if self._asked >= min(next_look, self._rounds):
                tell(self.look())
                next_look += self._rounds / 10
            await self._leave()
        gc.collect()
        trim_heap()
        await asyncio.sleep(0.2)

    def look(self) -> Look:
        return self._asked * self._answer_s, megabytes(), self._answers, self._failed

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
        self._asked += 1
        self._answers += len(lanes)
        self._failed += sum(lane.phase != "complete" for lane in lanes)

    async def _leave(self) -> None:
        before = self._opened
        self._playground.new_conversation()
        await until(lambda: self._opened > before, PATIENCE_S)
        await asyncio.sleep(0.1)

    def _note_opened(self) -> None:
        self._opened += 1


async def soak(app: QApplication, port: int, seconds: float, rate: float) -> Look:
    answer_s = min(ANSWER_S, seconds / CONVERSATION / 10)
    with folder() as place:
        desk = await asyncio.to_thread(lambda: Desk.open(home(place, port), cwd=place))
        desk.settings.set("lanes.last", [f"lab/draw-{rate:g}-{answer_s:g}"] * LANES)
        program = Sitting(app, desk)
        await program.begin()
        program.window.show_page("playground")
        program.window.resize(WIDTH, HEIGHT)
        soaking = Soak(program.playground, seconds, answer_s)
        await soaking.stream(lambda look: print(json.dumps(look), flush=True))
        last = soaking.look()
        await program.end()
        return last


if __name__ == "__main__":
    run(lambda app: soak(app, int(sys.argv[1]), *map(float, sys.argv[2:])))
