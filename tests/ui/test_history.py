"""The list of conversations: what its lines say, and what can be done with one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.playing import Scene, playing
from tests.sitting import until
from tests.ui.looking import shown, themed
from vibedesk.store.search import END_MARK, MARK
from vibedesk.ui.history import HistoryPanel, LineSheet, day_of, file_name, pieces_of

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


class Listed(NamedTuple):
    scene: Scene
    panel: HistoryPanel
    opened: list[str]
    found: list[str]

    def titles(self) -> list[str]:
        return [row.title for row in self.scene.history.rows.rows()]

    def menu(self, row: int) -> dict[str, QMenu]:
        """The actions of a line's menu, by name."""
        before = self.panel.findChildren(QMenu)
        self.panel.list.menu_wanted.emit(self.scene.history.rows.value(row), QPoint(0, 0))
        [menu] = [one for one in self.panel.findChildren(QMenu) if one not in before]
        return {action.text(): action for action in menu.actions()}  # type: ignore[misc]


@pytest.fixture
async def listed(tmp_path: Path, qtbot: QtBot) -> AsyncIterator[Listed]:
    async with playing(tmp_path) as scene:
        for title in ("Alpha", "Beta"):
            id = scene.desk.history.create([scene.playground.lanes[0].spec], title)
            scene.desk.history.add_turn(id, f"What does {title} mean in Greek?", [], ["a"])
        host = QWidget()
        qtbot.addWidget(host)
        panel = HistoryPanel(scene.history, themed())
        panel.setParent(host)
        opened: list[str] = []
        found: list[str] = []
        panel.opened.connect(opened.append)
        panel.found.connect(found.append)
        shown(host, 600, 500)
        scene.history.refresh()
        await scene.rest()
        yield Listed(scene, panel, opened, found)
        await scene.rest()


async def test_opening_what_was_found_says_what_was_looked_for(listed: Listed, qtbot: QtBot) -> None:
    qtbot.keyClicks(listed.panel.search, "alpha gre")
    await until(lambda: listed.titles() == ["Alpha"])
    await listed.scene.rest()
    listed.panel.list.clicked.emit(listed.scene.history.rows.index(0))
    assert listed.opened == [listed.scene.history.rows.value(0).id]
    assert listed.found == ["alpha gre"]


async def test_down_leads_from_the_field_into_the_list_and_enter_opens_there(
    listed: Listed, qtbot: QtBot
) -> None:
    listed.panel.window().activateWindow()
    qtbot.keyClick(listed.panel.search, Qt.Key.Key_Return)
    assert listed.opened == [], "nothing was looked for"
    qtbot.keyClick(listed.panel.search, Qt.Key.Key_Down)
    assert listed.panel.list.hasFocus()
    assert listed.panel.list.currentIndex().row() == 0
    qtbot.keyClick(listed.panel.list, Qt.Key.Key_Down)
    qtbot.keyClick(listed.panel.list, Qt.Key.Key_Return)
    assert listed.opened == [listed.scene.history.rows.value(1).id]


async def test_enter_in_the_field_opens_what_was_found_first(listed: Listed, qtbot: QtBot) -> None:
    qtbot.keyClicks(listed.panel.search, "alpha gre")
    await until(lambda: listed.titles() == ["Alpha"])
    await listed.scene.rest()
    qtbot.keyClick(listed.panel.search, Qt.Key.Key_Return)
    assert listed.opened == [listed.scene.history.rows.value(0).id]
    assert listed.found == ["alpha gre"]


async def test_a_pinned_line_moves_up_and_can_be_let_go(listed: Listed) -> None:
    listed.menu(1)["Pin"].trigger()  # type: ignore[attr-defined]
    await until(lambda: listed.titles() == ["Alpha", "Beta"])
    await listed.scene.rest()
    listed.menu(0)["Unpin"].trigger()  # type: ignore[attr-defined]
    await until(lambda: listed.titles() == ["Beta", "Alpha"])


async def test_a_name_and_tags_are_written_in_a_sheet(listed: Listed, qtbot: QtBot) -> None:
    listed.menu(0)["Rename…"].trigger()  # type: ignore[attr-defined]
    sheet = listed.panel.window().findChildren(LineSheet)[-1]
    sheet.line.setText("Gamma")
    qtbot.keyClick(sheet.line, Qt.Key.Key_Return)
    await until(lambda: listed.titles() == ["Gamma", "Alpha"])
    await listed.scene.rest()
    listed.menu(0)["Tags…"].trigger()  # type: ignore[attr-defined]
    sheet = listed.panel.window().findChildren(LineSheet)[-1]
    sheet.line.setText("work, art ,work")
    qtbot.keyClick(sheet.line, Qt.Key.Key_Return)
    await until(lambda: listed.scene.history.rows.value(0).tags == ("work", "art"))
    assert listed.panel._tags.isVisible()


def test_the_found_word_is_near_the_left() -> None:
    text = f"a long way before it, then {MARK}here{END_MARK} and after"
    assert pieces_of(text) == [("…it, then ", False), ("here", True), (" and after", False)]
    assert pieces_of("nothing") == [("nothing", False)]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A/B: test?", "AB test"),
        ("../..", "conversation"),
        ("x" * 90, "x" * 60),
        ("Ümläut – ok", "Ümläut  ok"),
    ],
)
def test_a_file_is_called_what_every_disk_takes(title: str, name: str) -> None:
    assert file_name(title) == name


def test_days_are_said_shortly() -> None:
    assert day_of(NOW - timedelta(days=1), NOW) == "yesterday"
    assert day_of(NOW - timedelta(days=300), NOW).endswith("2025")
