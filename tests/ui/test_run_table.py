"""The table of a run: as wide as its cells, and scrolled sideways where the window is narrower."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.looking import shown, themed
from vibedesk.state.metrics import Measured
from vibedesk.state.run import Run, RunRow
from vibedesk.ui.run_table import RunSheet


def row(letter: str, model: str, provider: str, best: set[str]) -> RunRow:
    figures: dict[str, Measured | None] = {
        "first": Measured(middle=0.005, low=0.004, high=0.006, count=2),
        "speed": Measured(middle=6798.0, low=4763.0, high=8833.0, count=2),
        "tokens": Measured(middle=170.0, low=170.0, high=170.0, count=2),
        "cost": Measured(middle=0.00001, low=0.00001, high=0.00001, count=2),
    }
    return RunRow(
        id=letter, letter=letter, model=model, provider=provider, via="direct", outcome="complete", error="",
        figures=figures, best=frozenset(best), times=2, left_s=0.0, input_tokens=12,
    )  # fmt: skip


ROWS = (
    row("A", "openai/gpt-oss-120b", "Groq", {"fastest"}),
    row("B", "claude-sonnet-5-5", "Anthropic", {"cheapest", "first"}),
)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QWidget]:
    window = QWidget()
    qtbot.addWidget(window)
    yield shown(window, 1280, 700)
    window.close()


def opened(window: QWidget, width: int) -> RunSheet:
    window.resize(width, 700)
    run = Run(turn=0, question="Which?", rows=ROWS)
    sheet = RunSheet(window, themed(), 2, lambda _turn: run, lambda _times: None)
    sheet.open()
    QApplication.processEvents()
    return sheet


@pytest.mark.parametrize("width", [360, 640, 900, 1280])
def test_no_cell_is_shortened(window: QWidget, width: int) -> None:
    sheet = opened(window, width)
    table, header = sheet.table, sheet.table.horizontalHeader()
    for column in range(table.model().columnCount()):
        assert table.columnWidth(column) >= table.sizeHintForColumn(column)
        assert table.columnWidth(column) >= header.sectionSizeHint(column)
    over = header.length() > table.viewport().width()
    assert table.horizontalScrollBar().maximum() == max(0, header.length() - table.viewport().width())
    assert over == (width < 1000)
    assert table.viewport().height() >= 2 * table.verticalHeader().defaultSectionSize()
    sheet.accept()


@pytest.mark.parametrize("width", [360, 640, 900, 1280])
def test_its_buttons_stand_whole(window: QWidget, width: int) -> None:
    sheet = opened(window, width)
    for button in (one for one in sheet.findChildren(QPushButton) if one.isVisible()):
        assert button.visibleRegion().boundingRect() == button.rect()
        assert button.width() >= button.sizeHint().width()
        assert sheet.rect().contains(button.mapTo(sheet, QPoint(button.width(), button.height())))
    sheet.accept()


def test_what_the_cells_leave_goes_to_the_model(window: QWidget) -> None:
    sheet = opened(window, 1800)
    header = sheet.table.horizontalHeader()
    assert header.length() == sheet.table.viewport().width()
    sheet.accept()
