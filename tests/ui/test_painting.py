"""What stays on the screen while words come in is what painting it all anew would give, to the pixel."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.looking import themed
from vibedesk.ui.scroll_bar import ScrollBar
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

PIECES = (
    "## A heading\n\n",
    "A **paragraph** of `words` that goes on for a while, with [a link](https://example.org) and *more* of it. ",
    "It goes on and on. " * 6,
    "\n\n",
    "```python\ndef f(x: int) -> int:\n    # every row counts\n    return x + 1\n",
    "    found += row[key] * 1.19  # a line so long that it has to be broken in a narrow view\n",
    "```\n\n",
    "\n1. first of **all**\n2. then the second\n   - and what hangs on it\n\n",
    "\n| a | b |\n|---|--:|\n| one `small` | 2 |\n| three | 4 |\n\n",
    "\n> Somebody said `it`,\n> twice.\n>\n> > And was answered.\n\n",
    "\n---\n\n",
    "$x^2$ ",
)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return themed()


class Watched(Transcript):
    """Remembers how high each piece was that it painted, in pixels."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.heights: list[int] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        self.heights.append(event.rect().height())
        super().paintEvent(event)


def shown(theme: Theme, qtbot: QtBot, width: int) -> Watched:
    view = Watched(theme)
    qtbot.addWidget(view)
    view.resize(width, 500)
    with qtbot.waitExposed(view):
        view.show()
    return view


def settle(view: Transcript) -> None:
    for _ in range(3):
        QApplication.processEvents()
    # what a timer changed in the last of them is still to be painted
    QApplication.sendPostedEvents(view.window(), QEvent.Type.UpdateRequest.value)


def on_screen(view: Transcript) -> QImage:
    """What the window really shows of the viewport: what was painted so far, moved where it was moved."""
    scale = view.devicePixelRatioF()
    corner, size = view.viewport().mapTo(view.window(), QPoint(0, 0)) * scale, view.viewport().size() * scale
    shot = view.screen().grabWindow(view.window().winId()).toImage()
    return shot.copy(QRect(corner, size)).convertToFormat(QImage.Format.Format_RGB32)


def anew(view: Transcript) -> QImage:
    return view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def difference(one: QImage, other: QImage) -> list[int]:
    """The rows that are not the same. A corner cut by the edge may be softer by a shade or two."""
    assert one.size() == other.size()
    rows = ((bytes(one.constScanLine(y)), bytes(other.constScanLine(y))) for y in range(one.height()))
    return [
        y
        for y, (here, there) in enumerate(rows)
        if here != there and any(abs(a - b) > 4 for a, b in zip(here, there, strict=True))
    ]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_on_the_screen_is_what_painting_it_anew_gives(seed: int, theme: Theme, qtbot: QtBot) -> None:
    luck = random.Random(seed)
    view = shown(theme, qtbot, luck.choice((190, 420, 800)))
    view.say("What is it?")
    view.begin()
    for step in range(60):
        for _ in range(luck.choice((1, 1, 1, 2, 8))):
            view.append(luck.choice(PIECES), more=luck.random() < 0.2)
        match luck.randrange(12):
            case 0:
                view.script.calm_down()
                view._calmed()
            case 1:
                view.verticalScrollBar().setValue(view.verticalScrollBar().value() - 200)
                settle(view)
                view.to_end()
            case 2:
                view.script.pen.work(1)
            case 3:
                view._trim()
            case 4:
                view.put_card(view.end([("stopped", "warn", "")]), QLabel("What went wrong"))
                view.say("And then?")
                view.begin()
        if luck.random() < 0.5:
            settle(view)
        if step % 5 == 4:
            view.append(luck.choice(PIECES))
            settle(view)
            assert difference(on_screen(view), anew(view)) == [], step
    assert min(view.heights) < view.viewport().height()  # it does not simply paint everything


def test_words_at_reading_speed_leave_what_stands_above_them_alone(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot, 420)
    view.begin()
    view.append("A paragraph that stands.\n\n" * 30 + "And one ")
    settle(view)
    view.heights.clear()
    for word in ("that ", "grows ", "slowly."):
        view.append(word)
        settle(view)
    assert 0 < max(view.heights) < 120


def test_the_scroll_bar_looks_as_the_style_sheet_says(theme: Theme, qtbot: QtBot) -> None:
    ground = QWidget()
    qtbot.addWidget(ground)
    ground.setStyleSheet(f"QWidget {{ background: {theme.colour('surface').name()}; }}")
    bars = ScrollBar(theme, ground), QScrollBar(Qt.Orientation.Vertical, ground)
    ground.resize(40, 400)
    for place, bar in enumerate(bars):
        bar.setGeometry(20 * place, 0, 10, 400)
    ground.show()
    for maximum, page, value in ((1_000, 300, 500), (1_000, 300, 1_000), (100_000, 300, 33_333)):
        for bar in bars:
            bar.setPageStep(page)
            bar.setRange(0, maximum)
            bar.setValue(value)
        shot = ground.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        left, right = shot.copy(0, 0, 10, 400), shot.copy(20, 0, 10, 400)
        assert difference(left, right) == [], (maximum, value)


def test_the_scroll_bar_is_painted_once_its_handle_has_moved_by_a_pixel(theme: Theme, qtbot: QtBot) -> None:
    class Counted(ScrollBar):
        count = 0

        def paintEvent(self, event: QPaintEvent) -> None:
            self.count += 1
            super().paintEvent(event)

    bar = Counted(theme)
    qtbot.addWidget(bar)
    bar.resize(10, 400)
    bar.setPageStep(400)
    bar.setRange(0, 100_000)
    with qtbot.waitExposed(bar):
        bar.show()
    qtbot.waitUntil(lambda: bar.count > 0)
    for _ in range(5):
        QApplication.processEvents()
    before = bar.count
    bar.setValue(20)  # a twelfth of a pixel
    QApplication.processEvents()
    assert bar.count == before
    bar.setValue(400)
    qtbot.waitUntil(lambda: bar.count > before)


def test_a_view_without_a_height_has_a_scroll_bar_all_the_same(theme: Theme, qtbot: QtBot) -> None:
    bar = ScrollBar(theme)
    qtbot.addWidget(bar)
    bar.setPageStep(0)
    bar.setRange(0, 0)
    bar.show()
    assert not bar.grab().isNull()
