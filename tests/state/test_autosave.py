"""What is written down as it happens: what a file that cannot be written says, and that the rest goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.playing import GOOD, LONG, playing
from tests.sitting import slow_disk, until
from vibedesk.engine.errors import Misconfigured


async def test_a_broken_settings_file_is_told_in_its_own_words_and_nothing_crashes(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        crashed: list[str] = []
        scene.tasks.crashed.connect(lambda name, error: crashed.append(name))
        scene.desk.paths.settings.write_text("[appearance\ntheme=", encoding="utf-8")
        scene.playground.set_model(0, "groq/llama-3.3-70b-versatile")
        await scene.rest()
        [notice] = scene.notices.current()
        assert (crashed, notice.role) == ([], "bad")
        assert notice.text.startswith("settings.toml could not be read: ")
        scene.playground.set_model(0, GOOD)
        await scene.ask()
        assert scene.desk.history.load(scene.playground.conversation).answers[0].text == scene.answer().text


async def test_stopping_what_has_ended_already_does_not_keep_it_from_being_written_down(
    tmp_path: Path,
) -> None:
    """As the next question does, and whoever presses Stop too late, or twice."""
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        lane = scene.playground.lanes[0]
        rungs = await asyncio.to_thread(lane.rungs)
        with slow_disk(scene.desk) as free:
            lane.start(lane.request(), rungs)
            await until(lambda: not scene.playground.running)
            for _ in range(3):
                scene.playground.stop_all()
                await asyncio.sleep(0.01)
            free.set()
            scene.playground.ask("Second?")
            await until(lambda: scene.playground.turns == 2)
            await scene.rest()
        shown = [answer for one in lane.exchanges for answer in one.answers]
        assert len(shown) == 3
        assert list(scene.desk.history.load(scene.playground.conversation).answers) == shown
        assert len(scene.desk.ledger.rows()) == 3


async def test_what_was_said_before_the_window_closed_is_written_down_however_slow_the_disk_is(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        scene.playground.ask("A long one?")
        await until(lambda: len(scene.playground.lanes[0].text) > 20)
        with slow_disk(scene.desk) as free:
            scene.playground.stop_all()
            await asyncio.sleep(0.02)
            closing = asyncio.ensure_future(scene.tasks.close())
            await asyncio.sleep(0.02)
            free.set()
            await closing
        [answer] = scene.desk.history.load(scene.playground.conversation).answers
        assert (answer.outcome, answer) == ("stopped", scene.answer())


async def test_a_question_that_could_not_be_put_to_anybody_is_kept_with_the_reason(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        scene.playground.lanes[0].refuse(Misconfigured("There is no such gateway."))
        await scene.rest()
        [_, answer] = scene.desk.history.load(scene.playground.conversation).answers
        assert (answer.outcome, answer) == ("failed", scene.answer())
