"""LaTeX formulas as pictures: set in a thread by ziamath, in the colour of the words, with their source to copy.

Nothing is loaded for one: the fonts are ziamath's own, and what it makes are outlines. What is too long or too deep, or
what it cannot set, stays the source it was (security M6).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QByteArray, QObject, QRectF, QRunnable, Qt, QThreadPool, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextImageFormat,
)

from vibedesk.ui.ink import STATES

LONGEST = 1_000
"""Characters of a formula that is set."""
DEEPEST = 6
DEAREST = 600.0
"""Most that `effort` may say: some tenths of a second in the thread, on a slow machine."""
MOST = 400
"""Formulas that are remembered, and that one transcript shows as pictures."""
LARGEST = 4_000.0
SOURCE = QTextFormat.Property.UserProperty.value + 20
"""Character property of a formula's picture: its source, with its delimiters."""
PLACEHOLDER = "\ufffc"
_PICTURE = QTextDocument.ResourceType.ImageResource.value
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\S", re.DOTALL)
_OPEN = {"{": 1.0, "\\begin": 1.0, "\\left": 1.4}
_CLOSE = {"}": 1.0, "\\end": 1.0, "\\right": 1.4}
_DOUBLING = 1.8
"""Every level of nesting is laid out nearly twice: the work doubles with the depth."""
_INLINE_EM = 13.5
_DISPLAY_EM = 15.0


class Formula(Struct, frozen=True):
    """A formula in black on nothing; sizes in pixels of the screen's own measure. `mask` None = it cannot be set."""

    mask: QImage | None
    width: float = 0.0
    ascent: float = 0.0
    descent: float = 0.0


NOT_SET = Formula(None)


def settable(latex: str) -> bool:
    """Whether it is short and shallow enough to be set."""
    return bool(latex.strip()) and len(latex) <= LONGEST and effort(latex) <= DEAREST


def effort(latex: str) -> float:
    """How much work a formula is, in plain letters; infinite for one that is nested too deeply or not at all closed."""
    depth, work = 0.0, 0.0
    for token in _TOKEN.findall(latex):
        depth += _OPEN.get(token, 0.0)
        if depth > DEEPEST:
            return float("inf")
        work += float(_DOUBLING**depth)
        depth -= _CLOSE.get(token, 0.0)
    return work if abs(depth) < 0.5 else float("inf")


class Formulas(QObject):
    """Sets formulas one after the other in a thread of its own; `ready(latex, display)` when one is there."""

    ready = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._known: OrderedDict[tuple[str, bool], Formula] = OrderedDict()
        self._asked: set[tuple[str, bool]] = set()
        self._queue: list[tuple[str, bool]] = []
        self.still = False
        """Nothing is set: the page is only read."""
        self._waiting: dict[tuple[str, bool], list[tuple[QTextCursor, QColor, QTextCharFormat]]] = {}
        self._desk = _Desk()
        self._desk.done.connect(self._take)

    def write(
        self, cursor: QTextCursor, latex: str, source: str, base: QTextCharFormat, *, display: bool
    ) -> None:
        """Writes a formula at the cursor in the colour of `base`: the picture, room for it, or its source."""
        key = (latex, display)
        formula = self._known.get(key)
        if not settable(latex) or formula == NOT_SET or (formula is None and len(self._asked) >= MOST):
            cursor.insertText(_plain(source), base)
            return
        colour = base.foreground().color()
        shape = _shape(source, base)
        if formula is not None:
            self._known.move_to_end(key)
            _show(cursor.document(), shape, formula, key, colour)
            cursor.insertImage(shape)
            return
        shape.setName(_name(key, colour))
        shape.setWidth(max(8.0, min(len(latex) * 5.0, 300.0)))
        shape.setHeight(36.0 if display else 14.0)
        place = QTextCursor(cursor)
        place.setKeepPositionOnInsert(True)
        cursor.insertImage(shape)
        self._waiting.setdefault(key, []).append((place, colour, QTextCharFormat(base)))
        if key not in self._asked and not self.still:
            self._asked.add(key)
            self._queue.append(key)
            if len(self._queue) == 1:
                self._begin()

    def _begin(self) -> None:
        """Sets the first in the queue: one at a time, so that nobody who leaves waits for more than one."""
        latex, display = self._queue[0]
        ratio = QGuiApplication.primaryScreen().devicePixelRatio()
        self._pool.start(_Setting(self._desk, latex, display, ratio))

    def _take(self, latex: str, display: bool, formula: Formula) -> None:
        key = (latex, display)
        self._known[key] = formula
        self._asked.discard(key)
        self._queue.remove(key)
        if self._queue:
            self._begin()
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        if key in self._waiting:
            self.ready.emit(latex, display)

    def put(self, latex: str, display: bool) -> None:
        """Puts a formula that is ready where room was left for it."""
        key = (latex, display)
        formula = self._known.get(key)
        for place, colour, base in self._waiting.pop(key, []) if formula is not None else []:
            there = QTextCursor(place.document())  # a bookmark's own anchor is not kept
            there.setPosition(place.position())
            there.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
            shape = there.charFormat().toImageFormat()
            if shape.name() != _name(key, colour):
                continue  # that part of the page was written anew meanwhile
            if formula is None or formula.mask is None:
                there.insertText(_plain(str(shape.property(SOURCE))), base)
                block = there.block()
                # what follows stands further right now: its remembered places are wrong
                block.setUserState(max(0, block.userState()) % STATES)
            else:
                _show(there.document(), shape, formula, key, colour)
                there.setCharFormat(shape)


def formulas_of(document: QTextDocument) -> Formulas:
    """Those of this document."""
    return document.findChild(Formulas) or Formulas(document)


def read(cursor: QTextCursor) -> str:
    """The selected words, formulas as their source, other pictures left out."""
    text = cursor.selection().toPlainText()
    sources = iter(_sources(cursor))
    return re.sub(PLACEHOLDER, lambda _: next(sources, ""), text)


def read_all(document: QTextDocument) -> str:
    """All words of a page, formulas as their source."""
    cursor = QTextCursor(document)
    cursor.select(QTextCursor.SelectionType.Document)
    return read(cursor)


def _sources(cursor: QTextCursor) -> list[str]:
    found: list[str] = []
    block = cursor.document().findBlock(cursor.selectionStart())
    while block.isValid() and block.position() < cursor.selectionEnd():
        parts = block.begin()
        while not parts.atEnd():
            part = parts.fragment()
            if part.charFormat().isImageFormat():
                first = max(part.position(), cursor.selectionStart())
                last = min(part.position() + part.length(), cursor.selectionEnd())
                found += [str(part.charFormat().property(SOURCE) or "")] * max(0, last - first)
            parts += 1
        block = block.next()
    return found


class _Desk(QObject):
    """Carries what was set from the thread to the window's."""

    done = Signal(str, bool, object)


class _Setting(QRunnable):
    def __init__(self, desk: _Desk, latex: str, display: bool, ratio: float) -> None:
        super().__init__()
        self._desk, self._latex, self._display, self._ratio = desk, latex, display, ratio

    def run(self) -> None:
        formula = set_formula(self._latex, display=self._display, ratio=self._ratio)
        try:
            self._desk.done.emit(self._latex, self._display, formula)
        except RuntimeError:  # the transcript is gone
            return


def set_formula(latex: str, *, display: bool, ratio: float) -> Formula:
    """The formula as a mask at `ratio` device pixels; NOT_SET where ziamath cannot. Takes some milliseconds."""
    import latex2mathml.exceptions
    from PySide6.QtSvg import QSvgRenderer
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False
    named = vars(latex2mathml.exceptions).values()
    refusals = [kind for kind in named if isinstance(kind, type) and issubclass(kind, Exception)]
    off = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
    kinds: tuple[type[Exception], ...] = (*off, SyntaxError, StopIteration, *refusals)
    try:
        made = Latex(latex, size=_DISPLAY_EM if display else _INLINE_EM, inline=not display)
        svg = made.svg().encode()
    except kinds:
        return NOT_SET
    renderer = QSvgRenderer(QByteArray(svg))
    box = renderer.viewBoxF()
    if (
        b"<image" in svg
        or not renderer.isValid()
        or not 0 < box.width() < LARGEST
        or not 0 < box.height() < LARGEST
    ):
        return NOT_SET
    mask = QImage(
        round(box.width() * ratio + 0.5),
        round(box.height() * ratio + 0.5),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    mask.fill(0)
    painter = QPainter(mask)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, box.width() * ratio, box.height() * ratio))
    painter.end()
    return Formula(mask, box.width(), -box.top(), box.bottom())


def _shape(source: str, base: QTextCharFormat) -> QTextImageFormat:
    shape = QTextImageFormat()
    shape.setFont(base.font())
    shape.setForeground(base.foreground())
    shape.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
    shape.setProperty(SOURCE, source)
    return shape


def _show(
    document: QTextDocument, shape: QTextImageFormat, formula: Formula, key: tuple[str, bool], colour: QColor
) -> None:
    """Gives the picture its size, so that its line of writing is the words' own, and its colour.

    Trap: of a picture in the middle Qt puts half its height, and a quarter of an x, above the line; so it is padded.
    """
    mask = formula.mask
    if mask is None:
        return
    room = max(120.0, document.textWidth() - 60) if document.textWidth() > 0 else formula.width
    scale = min(1.0, room / formula.width)
    quarter = QFontMetricsF(shape.font()).xHeight() / 2
    ascent, descent = formula.ascent * scale, formula.descent * scale
    height = max(2 * descent + quarter, 2 * ascent - quarter)
    shape.setWidth(formula.width * scale)
    shape.setHeight(height)
    shape.setName(f"{_name(key, colour)}:{round(scale * 1000)}")
    if isinstance(document.resource(_PICTURE, QUrl(shape.name())), QImage):
        return
    ratio = mask.width() / formula.width
    smooth = Qt.TransformationMode.SmoothTransformation
    drawn = mask if scale == 1.0 else mask.scaledToWidth(max(1, round(mask.width() * scale)), smooth)
    image = QImage(drawn.width(), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.drawImage(0, round(((height + quarter) / 2 - ascent) * ratio), drawn)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(image.rect(), colour)
    painter.end()
    image.setDevicePixelRatio(ratio)
    document.addResource(_PICTURE, QUrl(shape.name()), image)


def _name(key: tuple[str, bool], colour: QColor) -> str:
    return f"formula:{'display' if key[1] else 'inline'}:{colour.name()}:{key[0].encode().hex()}"


def _plain(source: str) -> str:
    from vibedesk.ui import harmless

    return harmless.prose(source).replace("\n", "\u2028")


Found = tuple[str, str, bool]
"""LaTeX, source with its delimiters, whether it stands on its own."""

_PAIRS = (("$$", "$$", True), ("\\[", "\\]", True), ("\\(", "\\)", False))
_DOLLARS = re.compile(rf"\$(?![\s$])((?:[^$\\]|\\[^\n]){{1,{LONGEST}}}?)(?<![\s\\])\$(?!\d)")


def formula_at(text: str, at: int) -> Found | None:
    """The formula that begins exactly there. Looks no further than a formula may be long, so that it costs little."""
    for opening, closing, display in _PAIRS:
        if text.startswith(opening, at):
            end = text.find(closing, at + 2, at + 2 + LONGEST + 2)
            if end <= at + 2 or not text[at + 2 : end].strip():
                return None
            return text[at + 2 : end].strip(), text[at : end + 2], display
    if text.startswith("$", at) and (found := _DOLLARS.match(text, at)):
        return found[1], found[0], False
    return None


def formula_of(source: str) -> Found | None:
    """The one formula that a block is, on its own."""
    bare = source.strip()
    found = formula_at(bare, 0)
    return found if found is not None and found[2] and len(found[1]) == len(bare) else None


def maths(state: Any, silent: bool) -> bool:
    """A rule for markdown-it: formulas among words. What stands in them is neither escaped nor emphasised."""
    if state.src[state.pos] not in "$\\":
        return False
    found = formula_at(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.markup, token.hidden = found[0], found[1], found[2]
    state.pos += len(found[1])
    return True
