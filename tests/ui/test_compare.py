"""Comparing on the screen: lanes moved, alone, fitted, scrolled together; tables, differences and sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.playing import GOOD, Scene, playing
from tests.providers import Behaviour
from tests.sitting import until
from tests.ui.looking import shown as in_window
from tests.ui.looking import themed
from vibedesk.ui.lane import LEAST_WIDTH
from vibedesk.ui.lane_sets import SaveSetSheet
from vibedesk.ui.lens import LensSheet
from vibedesk.ui.playground import PlaygroundPage
from vibedesk.ui.run_table import RunSheet

ANSWERS = {
    "a": "Use a monotonic clock. It was written in 1998.",
    "b": "Use a monotonic clock. It was written in 1989.",
    "c": "Use a monotonic clock. The bucket belongs to the account.\n\n" + "A line that is long.\n\n" * 60,
}


class Compared:
    def __init__(self, scene: Scene, qtbot: QtBot) -> None:
        self.scene, self.qtbot, self.playground = scene, qtbot, scene.playground
        self.page = PlaygroundPage(scene.playground, scene.history, themed(), pick_model=lambda _: None)
        qtbot.addWidget(self.page)
        in_window(self.page)

    def models(self) -> list[str]:
        return [view.lane.spec.model for view in self.page.views]

    def action(self, title: str) -> QAction:
        return next(one for one in self.page.actions() if one.text() == title)


@pytest.fixture
async def compared(tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> AsyncIterator[Compared]:
    models = getattr(request, "param", ["groq/a", "groq/b", "groq/c"])
    async with playing(tmp_path, models) as scene:
        scene.groq.behaviours |= {name: Behaviour(text=text) for name, text in ANSWERS.items()}
        yield Compared(scene, qtbot)
        await scene.rest()


async def test_a_lane_is_dragged_by_its_head_past_its_neighbours_middle(compared: Compared) -> None:
    page = compared.page
    head, views = page.views[0].head, list(page.views)
    start = QPoint(head.width() - 120, 56)
    QTest.mousePress(head, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(head, start + QPoint(30, 0))
    QTest.mouseMove(head, QPoint(views[1].x() - views[0].x() + views[1].width() // 4, 56))
    assert compared.models() == ["groq/a", "groq/b", "groq/c"]
    QTest.mouseMove(head, QPoint(views[1].x() - views[0].x() + 3 * views[1].width() // 4, 56))
    QApplication.processEvents()
    assert compared.models() == ["groq/b", "groq/a", "groq/c"]
    assert page.views[1] is views[0], "what was dragged keeps its view"
    QTest.mouseRelease(head, Qt.MouseButton.LeftButton, pos=start)
    assert page.current == 1


async def test_lanes_move_by_keyboard_and_stop_at_the_ends(compared: Compared) -> None:
    move = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
    compared.page.composer.setFocus()
    for _ in range(4):
        QTest.keyClick(compared.page.composer.words, Qt.Key.Key_Right, move)
    assert compared.models() == ["groq/b", "groq/c", "groq/a"]
    assert compared.page.current == 2
    QTest.keyClick(compared.page.composer.words, Qt.Key.Key_Left, move)
    assert compared.models() == ["groq/b", "groq/a", "groq/c"]


async def test_one_lane_fills_the_window_until_escape(compared: Compared) -> None:
    page = compared.page
    page._touch(page.views[1])
    compared.action("One lane alone").trigger()
    QApplication.processEvents()
    assert [view.isVisible() for view in page.views] == [False, True, False]
    assert page.views[1].width() == page.area.viewport().width()
    QTest.keyClick(page.composer.words, Qt.Key.Key_Escape)
    assert all(view.isVisible() for view in page.views)
    compared.action("One lane alone").trigger()
    compared.action("One lane alone").trigger()
    assert all(view.isVisible() for view in page.views)


@pytest.mark.parametrize("compared", [["groq/a"] * 8], indirect=True)
async def test_eight_lanes_scroll_sideways_or_are_fitted(compared: Compared) -> None:
    page = compared.page
    QApplication.processEvents()
    assert page.area.horizontalScrollBar().maximum() > 0
    assert min(view.width() for view in page.views) >= LEAST_WIDTH
    compared.action("Fit all lanes").trigger()
    QApplication.processEvents()
    assert page.area.horizontalScrollBar().maximum() == 0
    assert max(view.width() for view in page.views) < LEAST_WIDTH
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    QApplication.processEvents()
    for view in page.views:
        shown = [one for one in view.figures._all() if one.isVisible() and one.text()]
        assert shown
        for left, right in pairwise(shown):
            assert left.geometry().right() < right.geometry().left(), "figures lie over one another"


@pytest.mark.parametrize("compared", [["groq/c", "groq/c"]], indirect=True)
async def test_scrolling_one_scrolls_all_only_where_wished(compared: Compared) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    QApplication.processEvents()
    bars = [view.transcript.verticalScrollBar() for view in compared.page.views]
    assert all(bar.maximum() > 200 for bar in bars)
    compared.page.views[0].focus()
    bars[0].setValue(bars[0].maximum() // 2)
    assert bars[1].value() == bars[1].maximum()
    compared.action("Scroll lanes together").trigger()
    bars[0].setValue(bars[0].maximum() // 4)
    assert bars[1].value() == pytest.approx(bars[1].maximum() / 4, abs=2)


async def test_going_on_with_one_hides_the_others_and_brings_them_back(compared: Compared) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    menu = compared.page.lane_menu(1)
    next(one for one in menu.actions() if one.text() == "Continue with this one").trigger()
    assert compared.models() == ["groq/b"]
    others = compared.page.comparison.others
    assert others.isVisible()
    assert others.text() == "Show 2 more"
    others.click()
    assert compared.models() == ["groq/b", "groq/a", "groq/c"]
    assert not others.isVisible()
    menu.close()


async def test_the_table_shows_each_lane_and_asks_again(compared: Compared) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    compared.action("Table of this run").trigger()
    [sheet] = compared.page.findChildren(RunSheet)
    assert [row.letter for row in sheet.rows.rows()] == ["A", "B", "C"]
    assert sheet.left.text().startswith("All requests left within")
    model = sheet.table.model()
    cells = [model.data(model.index(0, column)) for column in range(model.columnCount())]
    assert cells[1] == "a Groq"
    assert "tok/s" in cells[4]
    assert cells[7] == "complete"
    sheet.times.choose(2)
    sheet.again.click()
    await compared.scene.rest()
    await until(lambda: len(compared.playground.lanes[0].exchanges[0].answers) == 2)
    compared.action("Table of this run").trigger()
    again = compared.page.findChildren(RunSheet)[-1]
    assert "medians" in again.left.text()
    assert {row.times for row in again.rows.rows()} == {2}
    again.accept()


async def test_the_lens_names_the_word_that_differs_and_who_says_what_alone(compared: Compared) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    compared.action("Differences").trigger()
    [sheet] = compared.page.findChildren(LensSheet)
    assert [text.toPlainText() for text in sheet.texts] == [ANSWERS["a"], ANSWERS["b"]]
    assert "1998" in sheet.texts[0].toHtml().partition("line-through")[2][:200]
    assert "1989" in sheet.texts[1].toHtml().partition("underline")[2][:200]
    assert sheet.same.text() == "91% of the words are the same"
    sheet.points.click()
    said = [label.text() for label in sheet.list.findChildren(type(sheet.same))]
    assert "It was written in 1998." in said
    assert "only A" in said
    assert "Use a monotonic clock." not in said
    sheet.accept()


async def test_a_set_is_named_and_opened_from_the_menu(compared: Compared) -> None:
    compared.action("Save these lanes as a set").trigger()
    [sheet] = compared.page.findChildren(SaveSetSheet)
    assert not sheet.save.isEnabled()
    sheet.name.setText("all & three")
    sheet.save.click()
    await compared.scene.rest()
    compared.playground.close_lane(0)
    await compared.scene.rest()
    menu = compared.page.comparison.menu()
    next(one for one in menu.actions() if one.text() == "all && three · 3 lanes").trigger()
    await until(lambda: len(compared.page.views) == 3)
    menu.close()
    assert compared.models() == ["groq/a", "groq/b", "groq/c"]
    await compared.scene.rest()


@pytest.mark.parametrize("compared", [[GOOD]], indirect=True)
async def test_one_lane_is_plain_chat_and_offers_no_vote(compared: Compared) -> None:
    assert not compared.page.comparison.blind.isVisible()
    assert not compared.action("Move lane left").isEnabled()
    compared.playground.add_lane()
    assert compared.page.comparison.blind.isVisible()


async def test_exporting_asks_where_to_and_says_it_is_done(compared: Compared, tmp_path: Path) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    file = tmp_path / "out.html"
    compared.page.comparison._exporter.export(compared.playground.conversation, "html", file)
    await compared.scene.rest()
    assert ANSWERS["a"] in file.read_text(encoding="utf-8")
    assert compared.scene.notices.current()[-1].text == "Exported to out.html."
    compared.page.comparison._exporter.export(
        compared.playground.conversation, "csv", tmp_path / "no such folder" / "x.csv"
    )
    await compared.scene.rest()
    assert "could not be written" in compared.scene.notices.current()[-1].text


async def test_a_closed_sheet_gives_the_keyboard_back(compared: Compared) -> None:
    compared.playground.ask("Go")
    await until(lambda: compared.playground.turns == 1)
    await compared.scene.rest()
    compared.page.activateWindow()
    compared.page.composer.words.setFocus()
    assert QApplication.focusWidget() is compared.page.composer.words
    compared.action("Table of this run").trigger()
    [sheet] = compared.page.findChildren(RunSheet)
    assert QApplication.focusWidget() is not compared.page.composer.words
    sheet.accept()
    assert QApplication.focusWidget() is compared.page.composer.words
