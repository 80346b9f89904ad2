"""The whole program while it streams for long: `python -m tests.benchmarks.soak PORT SECONDS RATE`.

Real engine, real sockets, the page shown; four lanes, answer after answer, in conversations that are left for new ones.
Prints a line of JSON each time it looks, always as a conversation ends: seconds streamed, resident MB before and
after it was left, answers and failures so far.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from tests.benchmarks.window import HEIGHT, WIDTH, folder, home, megabytes, run, until
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.state.heap import AFTER_S
from vibedesk.state.playground import Playground

LANES = 4
ANSWER_S = 20.0
CONVERSATION = 6
"""Questions in each; 20 s of streaming are an answer."""
PATIENCE_S = 600.0
"""It may run beside everything else at the lowest priority."""

LEFT_S = AFTER_S + 1.0
"""After so long what a left conversation took has been given back."""

Look = tuple[float, float, float, int, int]
"""Seconds streamed, resident MB with a conversation open and after it was left, answers so far, how many failed."""


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
        """Looks after the first conversation and after every tenth of the way."""
        next_look = 0.0
        while self._asked < self._rounds:
            for _ in range(CONVERSATION):
                await self._ask()
            full = megabytes()
            await self._leave()
            if self._asked >= min(next_look, self._rounds):
                tell((self._asked * self._answer_s, full, megabytes(), self._answers, self._failed))
                next_look += self._rounds / 10

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
        await asyncio.sleep(LEFT_S)

    def _note_opened(self) -> None:
        self._opened += 1


async def soak(app: QApplication, port: int, seconds: float, rate: float) -> None:
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
        await program.end()


if __name__ == "__main__":
    run(lambda app: soak(app, int(sys.argv[1]), *map(float, sys.argv[2:])))
