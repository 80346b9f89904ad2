"""How wide the columns of a table in an answer are: by what stands in them. Qt, left alone, parts words to be fair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtGui import QFontMetricsF, QTextDocument

Cells = Sequence[Sequence[str]]
"""Row by row, the head first."""
Metrics = tuple[QFontMetricsF, QFontMetricsF]
"""Of the head, and of the rest."""


def room_in(document: QTextDocument, indent: float) -> float:
    """Pixels a table may take across."""
    frame = document.rootFrame().frameFormat()
    return document.textWidth() - frame.leftMargin() - frame.rightMargin() - indent


def shares(
    cells: Cells, metrics: Metrics, padding: Mapping[bool, float], room: float
) -> tuple[list[float], bool]:
    """Each column's part of the whole in per cent, none where every line fits as it is; and whether it must be tight.

    `padding` of a cell by whether it is.
    """
    columns = range(len(cells[0]) if cells else 0)
    whole = [_widest(cells, column, metrics, words=False) for column in columns]
    if not whole or room <= 0 or sum(whole) + len(whole) * padding[False] <= room:
        return [], False
    least = [_widest(cells, column, metrics, words=True) for column in columns]
    tight = sum(least) + len(least) * padding[False] > room
    around = padding[tight]
    widths = _given([width + around for width in least], [width + around for width in whole], room)
    return [100 * width / sum(widths) for width in widths], tight


def _given(least: Sequence[float], whole: Sequence[float], room: float) -> list[float]:
    """To each its longest word, and of what is left as much more as it could use. Where not even the words fit, those
    that take no more than their part of the room have theirs, and the others what remains."""
    left = room - sum(least)
    if left >= 0:
        more = [most - width for most, width in zip(whole, least, strict=True)]
        if not sum(more):
            return [*least]
        return [width + left * part / sum(more) for width, part in zip(least, more, strict=True)]
    given, remains = [0.0] * len(least), room
    for done, place in enumerate(sorted(range(len(least)), key=lambda place: least[place])):
        given[place] = min(least[place], remains / (len(least) - done))
        remains -= given[place]
    return given


def _widest(cells: Cells, column: int, metrics: Metrics, *, words: bool) -> float:
    """The longest by its letters is measured; what is a letter shorter and wider is let off."""
    head, *rest = [row[column] for row in cells if column < len(row)]
    longest = max((_longest(text, words) for text in rest), key=len, default="")
    return max(metrics[0].horizontalAdvance(_longest(head, words)), metrics[1].horizontalAdvance(longest))


def _longest(text: str, words: bool) -> str:
    return max(text.split(), key=len, default="") if words else text
