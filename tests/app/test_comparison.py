"""Eight lanes in a real window, ten turns typed: one fails throughout, one is cut, one is stopped; the others do not
notice, and all of it stands again after the program was closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.app.test_app import the_app
from tests.providers import TEXT, Behaviour, OpenAI
from tests.sitting import GROQ_KEY, home_at, until
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.types import Secret
from vibedesk.ui.playground import PlaygroundPage

FAILING, CUT, ENDLESS = "groq/fail-500", "groq/cut-reset", "groq/endless"
EIGHT = ["groq/a", FAILING, "groq/b", "groq/c", CUT, "groq/d", ENDLESS, "groq/openai/gpt-oss-120b"]
TURNS = 10


@asynccontextmanager
async def sat_down(folder: Path, groq: OpenAI) -> AsyncIterator[tuple[Sitting, PlaygroundPage]]:
    """The program with its window open on the playground; closed as a person closes it."""
    environ = home_at(folder, {"groq": groq.base_url})
    desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=folder))
    if not desk.keys.usable(desk.catalog.provider("groq")):
        origin = origin_of(groq.base_url)
        await asyncio.to_thread(desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin)
        desk.settings.set("lanes.last", EIGHT)
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    page = sitting.window.show_page("playground")
    assert isinstance(page, PlaygroundPage)
    await until(lambda: len(page.views) == len(EIGHT))
    try:
        yield sitting, page
    finally:
        sitting.window.close()
        await sitting.end()


async def ask(sitting: Sitting, page: PlaygroundPage, text: str) -> None:
    """Typed and sent; the lane that would never end is stopped by its own action."""
    before = sitting.playground.turns
    page.composer.words.setFocus()
    QTest.keyClicks(page.composer.words, text)
    QTest.keyClick(page.composer.words, Qt.Key.Key_Return)
    endless = sitting.playground.lanes[EIGHT.index(ENDLESS)]
    await until(lambda: sitting.playground.turns > before and len(endless.text) > 20, 60)
    sitting.playground.stop(EIGHT.index(ENDLESS))
    await until(lambda: not sitting.playground.running, 60)


def shown(page: PlaygroundPage) -> list[str]:
    return [view.transcript.text() for view in page.views]


async def test_eight_lanes_and_ten_turns_stand_again_to_the_last_character(tmp_path: Path) -> None:
    async with OpenAI(key=GROQ_KEY, flavour="groq") as groq:
        for name in "abcd":
            groq.behaviours[name] = Behaviour(
                text=f"This is {name}, with a smile 😀.\n\n```py\nx = '{name}'\n```"
            )
        groq.behaviours["endless"] = Behaviour(text="Words follow one another. " * 400, tokens_per_s=300)
        async with sat_down(tmp_path, groq) as (sitting, page):
            for number in range(TURNS):
                await ask(sitting, page, f"Question {number}?")
            for place, view in enumerate(page.views):
                text = view.transcript.text()
                assert [f"Question {number}?" in text for number in range(TURNS)] == [True] * TURNS
                name = EIGHT[place].removeprefix("groq/")
                if name in "abcd":
                    assert text.count(f"This is {name}, with a smile 😀.\nx = '{name}'") == TURNS
            assert shown(page)[-1].count(TEXT) == TURNS
            outcomes = [
                [one.answer and one.answer.outcome for one in lane.exchanges]
                for lane in sitting.playground.lanes
            ]
            wrong = {FAILING: "failed", CUT: "cut", ENDLESS: "stopped"}
            assert outcomes == [[wrong.get(model, "complete")] * TURNS for model in EIGHT]
            before, conversation = shown(page), sitting.playground.conversation
        async with sat_down(tmp_path, groq) as (sitting, page):
            sitting.playground.open_conversation(conversation)
            await until(lambda: sitting.playground.conversation == conversation)
            await until(lambda: len(page.views) == len(EIGHT))
            assert shown(page) == before
