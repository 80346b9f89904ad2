"""The columns of a table take their widths from what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vibedesk.store.paths import resources
from vibedesk.ui.table_widths import _given
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

TABLE = """\
| Option | Description | When |
|---|---|---|
| a | Reasoning is expensive but breathes life into the code, and it explains itself | always |
| b | `token_bucket` refills at a constant rate | bursts |
"""

FOUR = """\
| Letter | Description | Reasoning | Cost |
|---|---|---|---|
| a | The bucket breathes | It explains itself in the end of it all | $1 |
"""


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


@given(
    some.lists(some.tuples(some.floats(1, 400), some.floats(0, 2_000)), min_size=1, max_size=8),
    some.floats(10, 1_500),
)
def test_all_the_room_is_given_and_none_gets_less_than_its_words_where_they_fit(
    columns: list[tuple[float, float]], room: float
) -> None:
    least = [width for width, _ in columns]
    whole = [width + more for width, more in columns]
    if sum(whole) <= room:
        return
    given = _given(least, whole, room)
    if sum(least) <= room:
        assert sum(given) == pytest.approx(room)
        assert all(have >= need - 1e-6 for have, need in zip(given, least, strict=True))
        assert all(have <= most + 1e-6 for have, most in zip(given, whole, strict=True))
    else:
        assert sum(given) == pytest.approx(room)
        fair = room / len(least)
        assert all(have >= min(need, fair) - 1e-6 for have, need in zip(given, least, strict=True))


def blocks(view: Transcript) -> Iterator[QTextBlock]:
    block = view.document().begin()
    while block.isValid():
        yield block
        block = block.next()


def parted(view: Transcript) -> list[str]:
    """Words that a line ends in the middle of."""
    found = []
    for block in blocks(view):
        layout = block.layout()
        for number in range(layout.lineCount() - 1):
            line = layout.lineAt(number)
            end = line.textStart() + line.textLength()
            around = block.text()[max(0, end - 1) : end + 1]
            if not any(letter.isspace() for letter in around):
                found.append(block.text())
    return found


@pytest.mark.parametrize(
    ("table", "width"), [(TABLE, 260), (TABLE, 420), (TABLE, 1_100), (FOUR, 340), (FOUR, 700)]
)
def test_no_word_of_a_table_is_parted_that_has_room(
    table: str, width: int, theme: Theme, qtbot: QtBot
) -> None:
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.resize(width, 600)
    view.show()
    view.begin()
    view.append(table)
    view.end()
    assert not parted(view)


def test_a_narrow_table_stays_as_narrow_as_it_is(theme: Theme, qtbot: QtBot) -> None:
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.resize(700, 600)
    view.show()
    view.begin()
    view.append("| Model | tok/s |\n|---|---|\n| x | 12 |\n")
    view.end()
    wide = max(
        block.layout().lineAt(0).position().x() for block in blocks(view) if block.layout().lineCount()
    )
    assert wide < 350
