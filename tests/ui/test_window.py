"""The window: pages built when first shown, every action by name, notices over the page, small sizes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.state.notices import Notices
from vibedesk.store.paths import resources
from vibedesk.ui.palette import Cheatsheet, Palette, match
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Toast
from vibedesk.ui.window import Page, Window


class Memory:
    """Keeps a window's geometry between two windows."""

    def __init__(self) -> None:
        self.kept = b""

    def window_geometry(self) -> bytes:
        return self.kept

    def keep_window_geometry(self, geometry: bytes) -> None:
        self.kept = geometry


class Scene:
    def __init__(self, app: QApplication) -> None:
        self.built: list[str] = []
        self.memory, self.notices = Memory(), Notices()
        self.theme = Theme(resources())
        self.theme.apply(app, "light")
        self.window = self.open()

    def open(self) -> Window:
        names = ("playground", "keys", "settings")
        pages = [
            Page(
                id=name,
                title=name.title(),
                icon="key",
                make=lambda name=name: self.make(name),
                below=name == "settings",
            )
            for name in names
        ]
        window = Window(pages, self.theme, self.notices, self.memory)
        window.show_page("playground")
        window.show()
        return window

    def make(self, name: str) -> QWidget:
        self.built.append(name)
        page = QWidget()
        column = QVBoxLayout(page)
        column.addWidget(QLineEdit(name), 1)
        if name == "playground":
            bar = QFrame()
            bar.setObjectName("composerBar")
            bar.setFixedHeight(96)
            column.addWidget(bar)
        return page

    def composer(self) -> QWidget:
        return self.window.findChild(QFrame, "composerBar")

    def toast(self) -> QRect:
        """Where the notice lies in the window."""
        toast = self.window.findChild(Toast)
        return QRect(toast.mapTo(self.window, QPoint(0, 0)), toast.size())

    def space_above_composer(self) -> int:
        return self.composer().mapTo(self.window, QPoint(0, 0)).y() - self.toast().bottom()


@pytest.fixture
def scene(qtbot: QtBot, qapp: QApplication) -> Iterator[Scene]:
    scene = Scene(qapp)
    qtbot.addWidget(scene.window)
    yield scene
    scene.window.close()


def test_a_page_is_built_when_it_is_first_shown_and_only_then(scene: Scene) -> None:
    assert scene.built == ["playground"]
    scene.window.show_page("keys")
    scene.window.show_page("playground")
    scene.window.show_page("keys")
    assert scene.built == ["playground", "keys"]
    assert scene.window.current_page() == "keys"


def test_every_icon_of_the_rail_has_a_name_and_is_reached_by_tab(scene: Scene) -> None:
    buttons = scene.window.rail.findChildren(QPushButton)
    assert {button.accessibleName() for button in buttons} == {
        "Conversations",
        "Playground",
        "Keys",
        "Settings",
    }
    assert all(button.focusPolicy() == Qt.FocusPolicy.TabFocus for button in buttons)


def test_the_rail_marks_the_page_in_front(scene: Scene) -> None:
    scene.window.show_page("settings")
    marked = [
        button.accessibleName()
        for button in scene.window.rail.findChildren(QPushButton)
        if button.isChecked()
    ]
    assert marked == ["Settings"]


def test_the_palette_runs_what_is_typed(scene: Scene, qtbot: QtBot) -> None:
    scene.window.open_palette()
    palette = scene.window.findChild(Palette)
    QTest.keyClicks(palette.field, "sett")
    assert palette.rows.value(0).title == "Open Settings"
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert scene.window.current_page() == "settings"
    assert not palette.isVisible()


def test_the_palette_is_walked_by_arrows_and_left_by_escape(scene: Scene) -> None:
    scene.window.open_palette()
    palette = scene.window.findChild(Palette)
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 2
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_tab_stays_in_an_open_sheet(scene: Scene) -> None:
    scene.window.open_cheatsheet()
    sheet = scene.window.findChild(Cheatsheet)
    for _ in range(5):
        QTest.keyClick(sheet, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is sheet or sheet.isAncestorOf(focused)


@pytest.mark.parametrize(
    ("query", "text", "fits"), [("opk", "Open Keys", True), ("kpo", "Open Keys", False), ("", "Quit", True)]
)
def test_letters_fit_in_their_order(query: str, text: str, fits: bool) -> None:
    assert (match(query, text) is not None) is fits


def test_the_beginning_of_a_word_counts_more() -> None:
    assert (match("ke", "Open Keys") or 0) > (match("ke", "Make fewer") or 0)


def test_a_notice_is_shown_and_its_action_done(scene: Scene) -> None:
    done = []
    scene.notices.add("“work” was deleted.", action_label="Undo", action=lambda: done.append(1))
    toast = scene.window.findChild(Toast)
    assert toast.isVisible()
    assert scene.window.rect().contains(toast.geometry())
    next(button for button in toast.findChildren(QPushButton) if button.text() == "Undo").click()
    assert done == [1]
    assert not toast.isVisible()


def test_a_notice_lies_above_the_composer_wherever_that_goes(scene: Scene) -> None:
    scene.window.show_page("keys")
    scene.notices.add("“work” was deleted.")
    QApplication.processEvents()
    assert scene.window.height() - scene.toast().bottom() < 40, "nothing stands at the bottom of this page"
    scene.window.show_page("playground")
    QApplication.processEvents()
    assert 0 < scene.space_above_composer() < 60
    for height in (240, 96):
        scene.composer().setFixedHeight(height)
        QApplication.processEvents()
        assert 0 < scene.space_above_composer() < 60
    scene.window.resize(700, 480)
    QApplication.processEvents()
    assert 0 < scene.space_above_composer() < 60
    scene.window.show_page("settings")
    QApplication.processEvents()
    assert scene.window.height() - scene.toast().bottom() < 40


@pytest.mark.parametrize("size", [(700, 480), (480, 360), (360, 280)])
def test_a_small_window_holds_sheets_and_notices(scene: Scene, size: tuple[int, int]) -> None:
    scene.window.resize(*size)
    scene.notices.add("A sentence that is a good deal longer than a small window is wide, and wraps.", "warn")
    scene.window.open_cheatsheet()
    QApplication.processEvents()
    sheet = scene.window.findChild(Cheatsheet)
    top_left = sheet.mapTo(scene.window, sheet.rect().topLeft())
    bottom_right = sheet.mapTo(scene.window, sheet.rect().bottomRight())
    assert scene.window.rect().contains(top_left)
    assert scene.window.rect().contains(bottom_right)
    assert scene.window.rect().contains(scene.window.findChild(Toast).geometry())


def test_size_and_place_are_remembered(scene: Scene, qtbot: QtBot) -> None:
    scene.window.resize(611, 522)
    scene.window.close()
    again = scene.open()
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (611, 522)
