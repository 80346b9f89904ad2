"""What was said in a conversation: the user's words, answers in growth, and what is folded away."""

from __future__ import annotations

from msgspec import Struct, field
from PySide6.QtGui import QTextCursor

from vibedesk.engine.types import Image


class Fold(Struct, eq=False):
    """Words behind a clickable line."""

    label: str
    text: list[str]
    open: bool = False
    header: QTextCursor | None = None
    body_end: QTextCursor | None = None


class Bubble(Struct, eq=False):
    """The user's words; `width` is how wide they would like to be."""

    start: QTextCursor
    lines: int
    width: float


class Said(Struct, eq=False):
    text: str
    images: tuple[Image, ...]
    rest: Fold | None = None
    note: str = ""
    number: int = 0
    """Of all things said, from 1."""


class Answer(Struct, eq=False):
    """One answer as it was received. `marks` are (word, role, explanation); `card` is room for a widget, in pixels."""

    text: list[str] = field(default_factory=list)
    thought: Fold | None = None
    marks: list[tuple[str, str, str]] = field(default_factory=list)
    live: bool = True
    card: int | None = None
    card_at: QTextCursor | None = None
    number: int = 0


def copy_of(entry: Said | Answer) -> Said | Answer:
    """The same words, standing nowhere."""
    match entry:
        case Said(text, images, rest):
            return Said(text, images, _copied(rest))
        case Answer():
            return Answer(entry.text, _copied(entry.thought), entry.marks, entry.live, entry.card)


def _copied(fold: Fold | None) -> Fold | None:
    return Fold(fold.label, fold.text, fold.open) if fold is not None else None
