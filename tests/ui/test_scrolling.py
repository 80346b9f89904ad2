"""Scrolling through a long conversation: drawn on both sides of the view, and what one reads stays put."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from tests.ui.test_long_transcript import blocks, first_seen, lines_of, restored, rounds, shown
from vibedesk.store.paths import resources
from vibedesk.ui.ink import GROUP
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

TURNS = 14
WHEEL = 60


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


def settle(view: Transcript) -> None:
    """Lets everything that can wait be drawn."""
    for _ in range(500):
        view._read_ahead()
        if not view._ahead.isActive():
            return
    raise AssertionError("there is always more to draw")


def colour(view: Transcript, qtbot: QtBot) -> None:
    """Lets all code be coloured, once its grammar is loaded."""

    def coloured() -> bool:
        view.script.pen.work(1)
        return not view.script.pen.busy

    qtbot.waitUntil(coloured)


def look_of(block: QTextBlock) -> Any:
    """Words, distances and colours of a block."""
    shape = block.blockFormat()
    parts = [
        (p.start, p.length, p.format.foreground().color().name()) for p in block.textFormats() if p.length
    ]
    margins = (shape.topMargin(), shape.leftMargin(), shape.textIndent(), shape.lineHeight())
    return block.text(), margins, bool(shape.intProperty(GROUP)), parts


def looks(view: Transcript) -> list[Any]:
    return [look_of(block) for block in blocks(view)]


def drawn_at_once(theme: Theme, qtbot: QtBot) -> Transcript:
    """A view high enough to draw all of it."""
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.resize(420, 30_000)
    view.show()
    for turn in range(TURNS):
        view.say(f"Question {turn}")
        view.begin()
        view.append(rounds(turn, turn + 2))
        view.end()
    assert view.script.whole
    colour(view, qtbot)
    return view


def first_line(view: Transcript) -> QTextCursor:
    """The first line of words in the view."""
    value, layout = view.verticalScrollBar().value(), view.document().documentLayout()
    below = (b for b in blocks(view) if b.text() and layout.blockBoundingRect(b).bottom() > value)
    return QTextCursor(next(below))


def place_of(view: Transcript, line: QTextCursor) -> float:
    """Where a line stands in the viewport."""
    layout = view.document().documentLayout()
    return layout.blockBoundingRect(line.block()).top() - view.verticalScrollBar().value()


@pytest.mark.parametrize("step", [-37, -WHEEL, -400], ids=["finely", "by the wheel", "by the page"])
def test_what_was_drawn_upwards_looks_as_if_it_had_been_drawn_at_once(
    theme: Theme, qtbot: QtBot, step: int
) -> None:
    whole = looks(drawn_at_once(theme, qtbot))
    view = restored(theme, qtbot, TURNS)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() * 2 // 3)  # here it begins in the middle, and does not know what stands above
    while bar.value():
        bar.setValue(bar.value() + step)
        settle(view)
    assert view.script.above == 0
    colour(view, qtbot)
    drawn = looks(view)[:-1]  # its last block stands for what is left out below
    assert len(drawn) > 60
    assert drawn == whole[: len(drawn)]


def test_nothing_one_reads_moves_while_more_is_drawn_around_it(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 30)
    bar = view.verticalScrollBar()
    for share in (0.5, 0.2, 0.8, 0.35):
        bar.setValue(round(bar.maximum() * share))
        line = first_line(view)
        place, drawn = place_of(view, line), len(blocks(view))
        settle(view)
        assert len(blocks(view)) > drawn
        assert place_of(view, line) == pytest.approx(place, abs=0.01)


def test_the_wheel_moves_the_words_by_its_step_and_by_nothing_else(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 30)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    for step in [-WHEEL] * 120 + [WHEEL] * 200:
        line = first_line(view)
        place = place_of(view, line)
        bar.setValue(bar.value() + step)
        assert place_of(view, line) == pytest.approx(place - step, abs=0.01)


def test_the_page_stays_short_however_far_one_scrolls(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 60)
    bar = view.verticalScrollBar()
    most, turns = 0, 0
    for step in (-120, 120):
        while 0 < bar.value() < bar.maximum() or (step < 0) == (bar.value() > 0):
            bar.setValue(bar.value() + step)
            QApplication.processEvents()
            most, turns = max(most, len(blocks(view))), turns + 1
    assert turns > 200
    assert most < 200  # about eight heights of the view
    assert lines_of(view)[-1] == "quoted 60"


def test_selected_words_stay_selected_while_one_scrolls_on(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 30)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    line = first_seen(view)
    cursor = view.document().find(line)
    cursor.movePosition(QTextCursor.MoveOperation.Down, QTextCursor.MoveMode.KeepAnchor, 3)
    view.setTextCursor(cursor)
    words = view.createMimeDataFromSelection().text()
    for step in [-WHEEL] * 60 + [WHEEL] * 120:
        bar.setValue(bar.value() + step)
        settle(view)
    assert view.textCursor().hasSelection()
    assert view.createMimeDataFromSelection().text() == words


def test_an_answer_grows_on_while_one_reads_what_is_above(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 20)
    other = Transcript(theme)
    bar = view.verticalScrollBar()
    text = rounds(40, 60)
    for one in (view, other):
        one.begin()
    for number, at in enumerate(range(0, len(text), 31)):
        view.append(text[at : at + 31])
        other.append(text[at : at + 31])
        bar.setValue(
            bar.value() + (-WHEEL if number % 60 < 40 else WHEEL * 2)
        )  # away from its end and back to it
        if number % 7 == 0:
            settle(view)
    view.to_end()
    settle(view)
    view.end()
    other.end()
    own = lines_of(view)
    assert own == lines_of(other)[-len(own) :] or lines_of(other) == own[-len(lines_of(other)) :]
    assert view.text().endswith(other.text().strip("\n"))
    other.deleteLater()


def test_a_card_comes_with_the_answer_above(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 12)
    bar = view.verticalScrollBar()
    card = QLabel("card")
    card.setFixedHeight(70)
    view.put_card(5, card)
    bar.setValue(bar.maximum())
    settle(view)
    assert card.isHidden()
    while card.isHidden() or card.geometry().top() < 0:
        assert bar.value() > 0
        bar.setValue(bar.value() - WHEEL)
    following = next(block for block in blocks(view) if block.text() == "Question 6")
    layout = view.document().documentLayout()
    under = layout.blockBoundingRect(following).top() - bar.value()
    assert card.geometry().bottom() <= under
    assert card.height() == 70


def test_the_end_key_leads_to_the_very_end(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    with view.resting():
        view.say("short\n" * 3)
        view.begin()
        view.append("\n\n".join(["word"] * 900))  # much lower than its letters let one think
        view.end()
    bar = view.verticalScrollBar()
    bar.setValue(0)
    settle(view)
    bar.setValue(bar.maximum())
    assert view.at_end()
    assert view.script.below == 0
