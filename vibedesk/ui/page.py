"""A page that entries are drawn on: bubbles with pictures, folds, marks and room for cards; through one pen."""

from __future__ import annotations

from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import (
    QFontMetricsF,
    QImage,
    QImageReader,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
)

from vibedesk.engine.types import Image
from vibedesk.ui import harmless
from vibedesk.ui.entries import Answer, Bubble, Fold, Said
from vibedesk.ui.ink import HAS_GROUND, KIND, ROLE, Ink, block_format
from vibedesk.ui.pen import Pen
from vibedesk.ui.places import anchor, at

BUBBLE_PADDING = 12
BUBBLE_INDENT = 34
THUMBNAIL = 96
LONG_PROMPT = 4_000
"""Characters of a prompt that are shown; the rest waits behind a fold."""


class Page:
    """Draws what was said at the place where its pen stands."""

    pen: Pen

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        self._document = document
        self.ink = ink
        self._column = 600.0

    def _empty(self) -> None:
        """Nothing is drawn any more."""
        frame = self._document.rootFrame().frameFormat()
        self._document.clear()
        self._document.rootFrame().setFrameFormat(frame)  # clearing takes the margins too
        self._document.setUndoRedoEnabled(False)
        self.pen = Pen(self._document, self.ink)
        self._bubbles: list[Bubble] = []
        self._folds: dict[str, Fold] = {}

    # The user

    def _draw_said(self, said: Said) -> None:
        shown = said.text if len(said.text) <= LONG_PROMPT * 1.25 else said.text[:LONG_PROMPT] + "…"
        lines = harmless.prose(shown.strip("\n")).split("\n")
        number = self.pen.number()
        shape = block_format("bubble", group=number)
        self.pen.start("bubble", shape)
        start = anchor(self.pen.cursor)
        wide = self._draw_images(said.images, number)
        if said.images and said.text:
            self.pen.more(shape)
        for index, line in enumerate(lines):
            if index:
                self.pen.more(shape)
            self.pen.write(line, self.ink.body)
        count = len(lines) + (1 if said.images and said.text else 0)
        metrics = QFontMetricsF(self.ink.body.font())
        words = max((metrics.horizontalAdvance(line) for line in lines), default=0.0)
        bubble = Bubble(start, count, max(wide, words))
        self._bubbles.append(bubble)
        self._fit(bubble)
        self.pen.end()
        if shown != said.text:
            said.rest = said.rest or Fold(f"All {len(said.text):,} characters", [said.text])
            self._draw_fold(said.rest)
        if said.note:
            self._draw_chip(said.note, "", "")

    def _draw_images(self, images: tuple[Image, ...], number: int) -> float:
        width = 0.0
        for index, image in enumerate(images):
            picture = thumbnail(image.data, THUMBNAIL * 2)
            if picture is None:
                continue
            name = f"vibedesk:picture/{number}/{index}"
            self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), picture)
            shape = QTextImageFormat()
            shape.setName(name)
            shape.setWidth(picture.width() / 2)
            shape.setHeight(picture.height() / 2)
            self.pen.cursor.insertImage(shape)
            self.pen.write(" ", self.ink.body)
            width += picture.width() / 2 + 6
        return width

    def _fit(self, bubble: Bubble) -> None:
        left = max(BUBBLE_INDENT + BUBBLE_PADDING, self._column - bubble.width - BUBBLE_PADDING - 2)
        cursor = at(bubble.start)
        for _ in range(bubble.lines):
            shape = cursor.blockFormat()
            if shape.leftMargin() != left:
                shape.setLeftMargin(left)
                shape.setRightMargin(BUBBLE_PADDING)
                cursor.setBlockFormat(shape)
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock)

    # Folds

    def _draw_fold(self, fold: Fold) -> None:
        address = f"fold:{self.pen.number()}"
        self._folds[address] = fold
        self.pen.start("fold", block_format("fold"))
        fold.header, fold.body_end = anchor(self.pen.cursor), None
        self.pen.write(_header(fold), self.ink.fold(address))
        self.pen.end()
        if fold.open:
            self._open(fold)

    def _write_header(self, fold: Fold) -> None:
        if fold.header is None:
            return
        cursor = at(fold.header)
        shape = cursor.block().begin().fragment().charFormat()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(_header(fold), shape)

    def _open(self, fold: Fold) -> None:
        assert fold.header is not None
        cursor = at(fold.header)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        shape = block_format("thought", indent=14, quotes=1, line=18)
        shape.setTopMargin(4)
        cursor.insertBlock(shape)
        cursor.block().setUserState(HAS_GROUND)
        cursor.insertText(harmless.prose("".join(fold.text)), self.ink.muted)
        fold.body_end = cursor

    def _close(self, fold: Fold) -> None:
        if fold.header is None or fold.body_end is None:
            return
        cursor = at(fold.header)
        shape = cursor.blockFormat()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        cursor.setPosition(fold.body_end.position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        cursor.setBlockFormat(shape)
        fold.body_end = None

    # Marks

    def _draw_chip(self, word: str, role: str, why: str) -> None:
        shape = block_format("chip", indent=8)
        shape.setProperty(ROLE, role)
        self.pen.start("chip", shape)
        self.pen.write(word, self.ink.in_role(self.ink.chip, role))
        if why:
            self.pen.write("    " + harmless.one_line(why), self.ink.muted)
        self.pen.end()

    def _draw_card(self, answer: Answer) -> None:
        self.pen.start("card", card_format(block_format("card"), answer.card or 0))
        answer.card_at = anchor(self.pen.cursor)
        self.pen.end()


def thumbnail(data: bytes, height: int) -> QImage | None:
    """The picture at most `height` pixels high and four times as wide; None when it cannot be read."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice

    source = QBuffer()
    source.setData(QByteArray(data))
    source.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(source)
    size = reader.size()
    if size.isValid() and (size.height() > height or size.width() > 4 * height):
        from PySide6.QtCore import Qt

        reader.setScaledSize(size.scaled(QSize(4 * height, height), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def _header(fold: Fold) -> str:
    return f"{'▾' if fold.open else '▸'} {fold.label}"


def card_format(shape: QTextBlockFormat, height: int) -> QTextBlockFormat:
    shape.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    shape.setProperty(KIND, "card")
    return shape
