"""A blind comparison tells nothing before the vote: not by a word, a number, an order or a moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.playing import Scene, playing
from tests.providers import Behaviour
from tests.sitting import until
from tests.ui.looking import themed
from tests.walking import everywhere, read_aloud
from vibedesk.engine.types import Parameters
from vibedesk.state.notices import Notices
from vibedesk.store.votes import BOTH_BAD, TIE
from vibedesk.ui.blind import BlindLane
from vibedesk.ui.playground import PlaygroundPage
from vibedesk.ui.ranking import RankingSheet
from vibedesk.ui.window import Page, Window

SLOW, QUICK, BROKEN = "groq/slow-one", "groq/quick-one", "groq/fail-500"
NAMES = re.compile(
    r"groq|slow-one|quick-one|fail-500|gpt-oss|openai|anthropic|temperature|fast …|gateway|direct|effort",
    re.I,
)
FIGURES = re.compile(r"tok/s|\d\s*m?s\b|\$|first \d|fastest|soonest|cheapest|Thought for")


class Forgetful:
    """A window that remembers no size."""

    def window_geometry(self) -> bytes:
        return b""

    def keep_window_geometry(self, geometry: bytes) -> None:
        return None


class Blind:
    """The window with the playground, over lanes that answer at different speeds."""

    def __init__(self, scene: Scene, qtbot: QtBot) -> None:
        self.scene, self.qtbot = scene, qtbot
        self.playground, self.contest = scene.playground, scene.playground.contest
        theme = themed()
        self.page: PlaygroundPage = PlaygroundPage(
            scene.playground, scene.history, theme, pick_model=lambda _: None
        )
        self.window = Window(
            [Page(id="playground", title="Playground", icon="chat", make=lambda: self.page)],
            theme,
            Notices(),
            Forgetful(),
        )
        self.window.show_page("playground")
        self.window.show()
        qtbot.addWidget(self.window)

    async def begin(self) -> None:
        self.page.comparison.blind.click()
        await self.scene.rest()
        await asyncio.sleep(0)  # what was taken off the screen is deleted

    def lanes(self) -> list[BlindLane]:
        return [one for one in self.page.area.columns if isinstance(one, BlindLane)]

    def shown(self) -> list[str]:
        return [lane.transcript.text() for lane in self.lanes()]

    def spoken_for(self, name: str) -> int:
        """Where the lane of this model stands, which only the test may know."""
        return [lane.spec.model for lane in self.playground.lanes].index(name)


def leaks() -> list[tuple[str, str]]:
    """Every place that tells who answers, how fast or for how much."""
    own = re.compile(r"^(PySide6|tests)")
    return [
        (where, what[:120])
        for where, what in everywhere()
        if (NAMES.search(what) or FIGURES.search(what)) and not own.match(what)
    ]


@pytest.fixture
async def blind(tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> AsyncIterator[Blind]:
    models = getattr(request, "param", [SLOW, QUICK])
    async with playing(tmp_path, models) as scene:
        scene.groq.behaviours["slow-one"] = Behaviour(
            text="It takes its time to say this.", reasoning="Hmm. Let me see.", tokens_per_s=20
        )
        scene.groq.behaviours["quick-one"] = Behaviour(text="Done at once.")
        yield Blind(scene, qtbot)
        await scene.rest()


@pytest.mark.parametrize("blind", [[SLOW, QUICK], [SLOW, QUICK, BROKEN, QUICK]], indirect=True)
async def test_nothing_tells_who_is_who_before_the_reveal(blind: Blind) -> None:
    blind.playground.configure(0, parameters=Parameters(temperature=0.3), system="Be kind.")
    await blind.scene.rest()
    assert leaks(), "the walk sees the names while they are shown"
    await blind.begin()
    assert leaks() == []
    blind.page.toggle_history()
    blind.playground.ask("Which is better?")
    slow = next(lane for lane in blind.playground.lanes if lane.spec.model == SLOW)
    await until(lambda: len(slow.text) > 3)
    assert leaks() == []
    await blind.scene.rest()
    await until(lambda: blind.contest.stage == "voting")
    await until(lambda: blind.scene.history.rows.rowCount() > 0)
    assert leaks() == []
    menus = [blind.page.comparison.menu()]
    await blind.scene.rest()
    assert leaks() == []
    for menu in menus:
        menu.close()
    blind.contest.vote(blind.spoken_for(SLOW))
    await blind.scene.rest()
    assert [where for where, what in leaks() if "slow-one" in what]
    assert any("slow-one" in what for _, what in read_aloud(blind.window))


async def test_what_arrives_is_withheld_until_the_last_has_ended(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    quick = next(lane for lane in blind.playground.lanes if lane.spec.model == QUICK)
    slow = next(lane for lane in blind.playground.lanes if lane.spec.model == SLOW)
    await until(lambda: not quick.running and quick.text)
    if slow.running:
        assert blind.shown() == ["Go", "Go"]
    await blind.scene.rest()
    await until(lambda: blind.contest.stage == "voting")
    assert sorted(blind.shown()) == ["Go\nDone at once.", "Go\nIt takes its time to say this."]


async def test_the_order_is_shuffled_and_the_widgets_are_new(blind: Blind) -> None:
    orders = set()
    for _ in range(24):
        await blind.begin()
        orders.add(tuple(lane.spec.model for lane in blind.playground.lanes))
        children = [one for one in blind.page.area.widget().children() if isinstance(one, BlindLane)]
        assert children == blind.lanes(), "the order in the tree is the order on the screen"
        blind.contest.end()
        await blind.scene.rest()
    assert len(orders) == 2


@pytest.mark.parametrize(("key", "winner"), [("1", 0), ("2", 1), ("=", TIE), ("0", BOTH_BAD)])
async def test_keys_vote_once_all_have_ended_and_reveal(blind: Blind, key: str, winner: int) -> None:
    await blind.begin()
    blind.qtbot.keyClick(blind.page.comparison.bar, key)
    assert blind.contest.stage == "ready"
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    blind.page.comparison.bar.tag.setText("style")
    blind.page.comparison.bar.setFocus()
    blind.window.activateWindow()
    names = tuple(lane.spec.model for lane in blind.playground.lanes)
    blind.qtbot.keyClick(blind.page.comparison.bar, key)
    await until(lambda: blind.contest.stage == "revealed")
    await blind.scene.rest()
    [vote] = blind.scene.desk.votes.all()
    assert (vote.choice, vote.contenders, vote.tag) == (winner, names, "style")
    assert [view.lane.spec.model for view in blind.page.views] == list(names)
    assert blind.scene.desk.votes.hidden_since(blind.playground.conversation) is None
    assert all(name in blind.page.comparison.bar.says.full_text() for name in names[winner : winner + 1])


async def test_a_digit_in_the_composer_is_a_digit(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    blind.page.composer.words.setFocus()
    blind.qtbot.keyClicks(blind.page.composer.words, "1")
    assert blind.page.composer.text() == "1"
    assert blind.contest.stage == "voting"


async def test_asked_again_while_they_answer_all_is_withheld_to_the_last_end(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("One")
    slow = next(lane for lane in blind.playground.lanes if lane.spec.model == SLOW)
    await until(lambda: slow.text)
    blind.playground.ask("Two")
    await until(lambda: blind.playground.turns == 2)
    await blind.scene.rest()
    await until(lambda: blind.contest.stage == "voting")
    for text in blind.shown():
        assert text.startswith("One\n")
        assert text.partition("\nTwo\n")[2] in ("Done at once.", "It takes its time to say this.")


@pytest.mark.parametrize("blind", [["anthropic/claude-sonnet-5-5", "anthropic/claude-opus-5"]], indirect=True)
async def test_where_nobody_can_be_asked_it_can_be_revealed(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    assert blind.page.comparison.bar.buttons == {}
    assert leaks() == []
    blind.page.comparison.bar.reveal.click()
    await blind.scene.rest()
    assert len(blind.page.views) == 2


@pytest.mark.parametrize("blind", [[BROKEN, QUICK, SLOW]], indirect=True)
async def test_one_that_gave_no_answer_is_no_choice_and_is_not_counted(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    broken = blind.spoken_for(BROKEN)
    assert broken not in blind.page.comparison.bar.buttons
    assert any("no answer" in text for text in blind.shown())
    blind.contest.vote(broken)
    assert blind.contest.stage == "voting"
    blind.contest.vote(blind.spoken_for(QUICK))
    await blind.scene.rest()
    [vote] = blind.scene.desk.votes.all()
    assert set(vote.contenders) == {QUICK, SLOW}
    assert vote.contenders[vote.choice] == QUICK


async def test_left_and_opened_again_it_is_still_blind(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    id = blind.playground.conversation
    blind.contest.stage = "off"  # as after a start of the program
    blind.playground.new_conversation()
    await until(lambda: not blind.playground.conversation)
    blind.playground.open_conversation(id)
    await until(lambda: blind.playground.conversation == id)
    await blind.scene.rest()
    assert blind.contest.stage == "voting"
    assert len(blind.lanes()) == 2
    assert leaks() == []


async def test_a_revealed_round_is_followed_by_a_blind_one(blind: Blind) -> None:
    await blind.begin()
    blind.playground.ask("One")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    blind.contest.reveal()
    await blind.scene.rest()
    assert len(blind.page.views) == 2
    blind.playground.ask("Two")
    await until(lambda: blind.contest.stage == "asked")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    assert not blind.page.views
    assert all("One" not in text for text in blind.shown())
    blind.page.comparison.blind.click()
    await blind.scene.rest()
    assert [view.transcript.text().count("One") for view in blind.page.views] == [1, 1]


async def test_nothing_blind_is_exported_named_or_changed(blind: Blind, tmp_path: Path) -> None:
    await blind.begin()
    blind.playground.ask("Go")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    able = {action.text() for action in blind.page.actions() if action.isEnabled()}
    assert not able & {"Choose model", "Show the receipt", "Table of this run", "Differences", "Close lane"}
    assert not [text for text in able if text.startswith("Export")]
    file = tmp_path / "out.md"
    blind.page.comparison._exporter.export(blind.playground.conversation, "md", file)
    await blind.scene.rest()
    assert not file.exists()
    blind.page.comparison.show_table()
    blind.page.comparison.show_lens()
    assert not blind.window.has_sheet()


async def test_one_lane_is_nothing_to_compare(blind: Blind) -> None:
    blind.playground.close_lane(1)
    await blind.scene.rest()
    with blind.qtbot.waitSignal(blind.page.notice):
        blind.page.comparison.toggle_blind()
    assert not blind.contest.on


async def test_the_ranking_opens_from_the_palette_and_counts_the_votes(blind: Blind) -> None:
    for _ in range(3):
        blind.scene.desk.votes.cast((SLOW, QUICK), 1, "coding")
    blind.scene.desk.votes.cast((SLOW, QUICK), 0, "prose")
    [action] = [one for one in blind.window.all_actions() if one.text() == "Ranking"]
    action.trigger()
    await blind.scene.rest()
    [sheet] = blind.page.window().findChildren(RankingSheet)
    assert [rank.id for rank in blind.page.comparison.ranking.rows.rows()] == [QUICK, SLOW]
    assert sheet.says.text().startswith("4 votes.")
    sheet.tag.choose("prose")
    await blind.scene.rest()
    assert [rank.id for rank in blind.page.comparison.ranking.rows.rows()] == [SLOW, QUICK]
    sheet.accept()


@pytest.mark.parametrize("width", [360, 640, 1280])
async def test_every_vote_can_be_read_in_any_window(blind: Blind, width: int) -> None:
    await blind.begin()
    blind.window.resize(width, 700)
    blind.playground.ask("Which?")
    await until(lambda: blind.contest.stage == "voting")
    await blind.scene.rest()
    QApplication.processEvents()
    bar = blind.page.comparison.bar
    buttons = [*bar.buttons.values(), bar.reveal]
    places = [QRect(one.mapTo(bar, QPoint(0, 0)), one.size()) for one in buttons]
    for button, place in zip(buttons, places, strict=True):
        assert place.width() >= button.sizeHint().width()
        assert bar.rect().contains(place)
    assert not any(one.intersects(other) for one in places for other in places if one is not other)
    assert (bar.height() == 48) == (width == 1280), "one line where there is room"
