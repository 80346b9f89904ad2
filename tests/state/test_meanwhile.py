"""What comes in between: the person does something while a question, an opening or a removal is still under way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.playing import GOOD, playing
from tests.sitting import slow_disk, until


async def rounds(number: int = 20) -> None:
    """Lets all that can happen by now happen."""
    for _ in range(number):
        await asyncio.sleep(0.005)


async def test_a_lane_closed_before_its_request_left_is_not_asked_and_the_others_are(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            scene.playground.close_lane(0)
            await rounds()
        await scene.rest()
        [lane] = scene.playground.lanes
        assert lane.phase == "complete"
        assert len(scene.groq.asked) == 1


async def test_a_lane_set_aside_before_its_request_left_is_not_asked(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            scene.playground.promote(1)
            await rounds()
        await scene.rest()
        assert scene.playground.lanes[0].phase == "complete"
        assert len(scene.groq.asked) == 1


async def test_a_question_sent_while_another_conversation_begins_is_asked_there(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        first = scene.playground.conversation
        with slow_disk(scene.desk):
            scene.playground.ask("Second?")
            await until(lambda: scene.playground.turns == 2)
            scene.playground.new_conversation()
            await asyncio.sleep(0)
            scene.playground.ask("Third?")
            await rounds()
        await scene.rest()
        assert scene.playground.conversation != first
        assert [one.turn.text for one in scene.playground.lanes[0].exchanges] == ["Third?"]
        assert scene.playground.lanes[0].phase == "complete"
        kept = scene.desk.history.load(scene.playground.conversation)
        assert [turn.text for turn in kept.turns] == ["Third?"]
