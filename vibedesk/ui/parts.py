"""The parts a conversation is drawn in, in their order, and about how high each of them is."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field
from PySide6.QtGui import QTextCursor

from vibedesk.ui.blocks import Code, Plain, Step
from vibedesk.ui.blocks import Markdown as Done
from vibedesk.ui.entries import Answer, Said
from vibedesk.ui.page import LONG_PROMPT
from vibedesk.ui.pen import Mark

PART = 800
"""Characters of an answer after which the next block begins another part."""
STRIDE = 256


class Part(Struct, eq=False):
    """What is drawn or left out as one: an entry, or some finished blocks of an answer."""

    entry: Said | Answer
    opens: bool = True
    """It begins its entry."""
    steps: list[Step] = field(default_factory=list)
    raw: str = ""
    """An answer whose blocks nobody has looked for yet."""
    size: int = 0
    height: float = 0.0
    """Pixels it took when it was last drawn; 0 = never."""
    top: QTextCursor | None = None
    """Where it stands, while it is drawn."""
    mark: Mark | None = None
    """What stood before it when it was last drawn."""
    began: str = ""
    """What its first block keeps its distance as."""


class Parts:
    """All parts in their order, and about how high each is; the last may be growing."""

    def __init__(self, column: float) -> None:
        self._column = column
        self._all: list[Part] = []
        self._tall: list[float] = []

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, place: int) -> Part:
        return self._all[place]

    def __iter__(self) -> Iterator[Part]:
        return iter(self._all)

    def between(self, first: int, last: int) -> list[Part]:
        """Those from `first` up to `last`, which is not among them."""
        return self._all[first:last]

    def index(self, part: Part) -> int:
        return self._all.index(part)

    def append(self, part: Part) -> None:
        self._look_at_last()
        self._all.append(part)
        self._tall.append(self._guess(part))

    def cut(self, place: int) -> tuple[list[Part], list[float]]:
        """Takes out everything from `place` on, and how high it is, for `put_back`."""
        cut = self._all[place:], self._tall[place:]
        del self._all[place:], self._tall[place:]
        return cut

    def put_back(self, cut: tuple[list[Part], list[float]]) -> None:
        self._look_at_last()
        self._all += cut[0]
        self._tall += cut[1]

    def measured(self, place: int, height: float) -> None:
        """A part takes so many pixels; 0 = nobody knows."""
        self._all[place].height = height
        self._tall[place] = self._guess(self._all[place])

    def set_column(self, width: float) -> None:
        """Words have another width: no height is known any more."""
        self._column = width
        for part in self._all:
            part.height = 0.0
        self._tall = list(map(self._guess, self._all))

    def tall(self, first: int, last: int) -> float:
        """Pixels those from `first` up to `last` take, or about so many."""
        self._look_at_last()
        return sum(self._tall[first:last])

    def at(self, y: float) -> tuple[int, float]:
        """The part at a height, drawn or not, and how far into it."""
        self._look_at_last()
        place, last = 0, len(self._all) - 1
        while place + STRIDE < last and y >= (stride := sum(self._tall[place : place + STRIDE])):
            y -= stride
            place += STRIDE
        while place < last and y >= self._tall[place]:
            y -= self._tall[place]
            place += 1
        return place, min(max(0.0, y), self._tall[place])

    def _look_at_last(self) -> None:
        if self._all:
            self._tall[-1] = self._guess(self._all[-1])

    def _guess(self, part: Part) -> float:
        if part.height:
            return part.height
        entry = part.entry
        said = isinstance(entry, Said)
        size = min(len(entry.text), LONG_PROMPT) if said else part.size or len(part.raw)
        return 40.0 + 20.0 * (size // max(1, int(self._column / 6.6)))


def size_of(step: Step) -> int:
    match step:
        case Done(source):
            return len(source)
        case Plain(text, _) | Code(text):
            return len(text)
    return 0


def join_code(steps: list[Step]) -> None:
    """The many pieces a listing came in become one."""
    pieces: list[str] = []
    while steps and isinstance(piece := steps[-1], Code):
        pieces.append(piece.text)
        steps.pop()
    if pieces:
        steps.append(Code("".join(reversed(pieces))))


def source_of(part: Part) -> str:
    """The words of a part as they were received."""
    entry = part.entry
    if isinstance(entry, Said):
        return entry.text
    pieces = []
    for step in part.steps:
        match step:
            case Done(source):
                pieces.append(source)
            case Plain(text) | Code(text):
                pieces.append(text)
    return "\n".join(pieces)
