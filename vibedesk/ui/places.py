"""Places in a document that grows: bookmarks, edits in one go, and blank space for what is not drawn."""

from __future__ import annotations

from PySide6.QtGui import QTextBlockFormat, QTextCursor, QTextDocument


class Edit:
    """One edit block: the view lays out and paints once."""

    def __init__(self, document: QTextDocument) -> None:
        self._cursor = QTextCursor(document)

    def __enter__(self) -> None:
        self._cursor.beginEditBlock()

    def __exit__(self, *_: object) -> None:
        self._cursor.endEditBlock()


def anchor(cursor: QTextCursor) -> QTextCursor:
    """A bookmark at the cursor's place that stays before what is inserted there."""
    bookmark = QTextCursor(cursor)
    bookmark.setKeepPositionOnInsert(True)
    return bookmark


def at(bookmark: QTextCursor) -> QTextCursor:
    """A cursor at the bookmark. Trap: a bookmark's own anchor is not kept, it would select what came after."""
    cursor = QTextCursor(bookmark)
    cursor.setKeepPositionOnInsert(False)
    cursor.setPosition(bookmark.position())
    return cursor


def blank(height: float) -> QTextBlockFormat:
    """An empty block that stands for what is not drawn."""
    shape = QTextBlockFormat()
    shape.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    return shape
