"""Markdown as it arrives: which lines make a finished block, decided line by line and never taken back.

Every decision depends on the lines before it only, so any way of cutting a text into pieces gives the same blocks.
"""

from __future__ import annotations

import re

from msgspec import Struct

LONG_LINE = 4_000
"""Characters of a line, and twelve thousand of a block, beyond which it is shown as plain text."""
LONG_BLOCK = 12_000

_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$")
_HEADING = re.compile(r" {0,3}#{1,6}([ \t]|$)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(\1[ \t]*){2,}$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_ITEM = re.compile(r"( *)([-*+]|\d{1,9}[.)])( +|$)(.*)$")
_DELIMITERS = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


class Markdown(Struct, frozen=True):
    """A finished block. `number` overrides the first number of an ordered list that goes on."""

    source: str
    number: int | None = None
    follows: bool = False
    """An item of the list the block before belongs to."""


class Plain(Struct, frozen=True):
    """A piece of something too long to be Markdown; `starts` a paragraph of its own."""

    text: str
    starts: bool


class Opened(Struct, frozen=True):
    """A fence: code follows."""

    language: str


class Code(Struct, frozen=True):
    """More characters of the open fence."""

    text: str


class Closed(Struct, frozen=True):
    """The fence has ended."""


Step = Markdown | Plain | Opened | Code | Closed


class Fence(Struct, frozen=True):
    indent: int
    mark: str
    language: str

    def closed_by(self, line: str) -> bool:
        """Whether this whole line is the closing fence."""
        bare = line.strip()
        deep = len(line) - len(line.lstrip(" "))
        return deep <= 3 + self.indent and len(bare) >= len(self.mark) and not bare.strip(self.mark[0])

    def perhaps_closed_by(self, start: str) -> bool:
        """Whether the line that starts so may still become the closing fence."""
        return not start.strip().strip(self.mark[0])


def fence_of(line: str) -> Fence | None:
    """The fence this line opens."""
    match = _FENCE.match(line)
    if match is None:
        return None
    words = match[3].split()
    return Fence(len(match[1]), match[2], words[0].strip("{}.").lower() if words else "")


class Blocks:
    """Takes text in pieces of any size, gives the steps that are certain. `tail` is what is not finished yet."""

    def __init__(self) -> None:
        self._rest = ""
        self._lines: list[str] = []
        self._size = 0
        self._kind = ""
        self._fence: Fence | None = None
        self._inner: Fence | None = None
        self._newline_owed = False
        self._line_begun = False
        self._cutting = False
        self._content = 0
        self._marker = ""
        self._number: int | None = None
        self._follows = False
        self._steps: list[Step] = []

    @property
    def tail(self) -> str:
        """The source of the block that is still growing; empty while a fence is open."""
        if self._fence is not None or self._cutting:
            return ""
        return "\n".join([*self._lines, self._rest])

    @property
    def tail_number(self) -> int | None:
        return self._number

    @property
    def tail_follows(self) -> bool:
        return self._follows and self._kind == "list"

    @property
    def in_code(self) -> bool:
        return self._fence is not None

    def feed(self, text: str) -> list[Step]:
        """The steps that `text` completes, in order."""
        rest, at = self._rest + text.replace("\r", ""), 0
        while True:
            end = rest.find("\n", at, at + LONG_LINE)
            if end >= 0:
                self._end_line(rest[at:end])
                at = end + 1
            elif len(rest) - at >= LONG_LINE:
                self._cut(rest[at : at + LONG_LINE])
                at += LONG_LINE
            else:
                break
        self._rest = rest[at:]
        self._code_so_far()
        return self._taken()

    def close(self) -> list[Step]:
        """What is left, when nothing more will come."""
        if self._rest or self._cutting:
            line, self._rest = self._rest, ""
            self._end_line(line)
        self._finish()
        if self._fence is not None:
            self._fence = None
            self._steps.append(Closed())
        return self._taken()

    def _taken(self) -> list[Step]:
        steps, self._steps = self._steps, []
        return steps

    # Lines

    def _end_line(self, line: str) -> None:
        if self._fence is not None:
            self._code_line(line)
        elif self._cutting:
            self._cutting = False
            if line:
                self._steps.append(Plain(line, starts=False))
        else:
            self._take(line)
            if self._size > LONG_BLOCK:
                self._give_up()

    def _cut(self, piece: str) -> None:
        if self._fence is not None:
            self._code_piece(piece)
            return
        if not self._cutting:
            self._give_up()
        self._steps.append(Plain(piece, starts=not self._cutting))
        self._cutting = True

    def _give_up(self) -> None:
        """Shows the lines so far as plain text: too long to be worth a parser's time."""
        if self._lines:
            self._steps.append(Plain("\n".join(self._lines), starts=True))
        self._reset()

    def _take(self, line: str) -> None:
        match self._kind:
            case "list":
                self._in_list(line)
            case "quote":
                self._in_quote(line)
            case "indented":
                self._in_indented(line)
            case "paragraph":
                self._in_paragraph(line)
            case "maths":
                self._in_maths(line)
            case _:
                self._begin(line)

    def _begin(self, line: str) -> None:
        """The first line of a block."""
        if not line.strip():
            return
        if (fence := fence_of(line)) is not None:
            self._fence, self._newline_owed, self._line_begun = fence, False, False
            self._follows = False
            self._steps.append(Opened(fence.language))
            return
        if _HEADING.match(line) or _RULE.match(line):
            self._add(line, "line")
            self._finish()
        elif _begins_maths(line):
            self._add(line, "maths")
            self._end_maths(line.strip()[2:])
        elif _is_item(line):
            self._begin_item(line)
        elif line.lstrip(" ").startswith(">") and _depth(line) <= 3:
            self._add(line, "quote")
        else:
            self._add(line, "indented" if _depth(line) >= 4 else "paragraph")

    def _add(self, line: str, kind: str) -> None:
        if kind != "list":
            self._follows = False
        self._kind = kind
        self._lines.append(line)
        self._size += len(line) + 1

    def _finish(self) -> None:
        if self._lines:
            self._steps.append(Markdown("\n".join(self._lines), self._number, self._follows))
        self._reset()

    def _reset(self) -> None:
        self._lines, self._size, self._kind, self._inner = [], 0, "", None
        self._number = None

    def _next(self, line: str) -> None:
        self._finish()
        self._begin(line)

    # Kinds

    def _in_paragraph(self, line: str) -> None:
        if not line.strip():
            self._finish()
        elif _UNDERLINE.match(line) and not self._is_table():
            self._add(line, "paragraph")
            self._finish()
        elif _interrupts(line):
            self._next(line)
        else:
            self._add(line, "paragraph")

    def _is_table(self) -> bool:
        return len(self._lines) > 1 and "|" in self._lines[0] and bool(_DELIMITERS.match(self._lines[1]))

    def _in_maths(self, line: str) -> None:
        """Up to the closing mark, or a blank line, which no formula has."""
        if not line.strip():
            self._finish()
        else:
            self._add(line, "maths")
            self._end_maths(line)

    def _end_maths(self, rest: str) -> None:
        if ("$$" if self._lines[0].lstrip().startswith("$$") else "\\]") in rest:
            self._finish()

    def _in_quote(self, line: str) -> None:
        if not line.strip():
            self._finish()
        elif line.lstrip(" ").startswith(">"):
            self._add(line, "quote")
        elif _interrupts(line) or fence_of(self._lines[-1].lstrip(" >")) or not self._lines[-1].strip(" >"):
            self._next(line)
        else:
            self._add(line, "quote")

    def _in_indented(self, line: str) -> None:
        if not line.strip() or _depth(line) >= 4:
            self._add(line, "indented")
        else:
            self._next(line)

    def _begin_item(self, line: str) -> None:
        match = _ITEM.match(line.expandtabs(4))
        assert match is not None
        marker = match[2][-1]
        follows = self._follows and marker == self._marker
        if marker in ".)":
            self._number = self._next_number if follows else int(match[2][:-1])
            self._next_number = self._number + 1
        self._follows, self._marker = follows, marker
        gap = len(match[3])
        self._content = len(match[1]) + len(match[2]) + (gap if match[4] and gap <= 4 else 1)
        self._inner = fence_of(match[4])
        self._add(line, "list")

    _next_number = 1

    def _in_list(self, line: str) -> None:
        depth = _depth(line)
        if self._inner is not None and (not line.strip() or depth >= self._content):
            if self._inner.closed_by(line[min(depth, self._content) :]):
                self._inner = None
            self._add(line, "list")
        elif not line.strip():
            self._add(line, "list")
        elif depth >= self._content:
            self._inner = fence_of(line.expandtabs(4)[self._content :])
            self._add(line, "list")
        elif _is_item(line) and not _RULE.match(line):
            self._end_item(line)
        elif self._lines[-1].strip() and self._inner is None and not _interrupts(line):
            self._add(line, "list")
        else:
            self._next(line)

    def _end_item(self, line: str) -> None:
        marker = self._marker
        self._finish()
        self._follows, self._marker = True, marker
        self._begin_item(line)

    # Code

    def _code_line(self, line: str) -> None:
        assert self._fence is not None
        if not self._line_begun and self._fence.closed_by(line):
            self._fence = None
            self._steps.append(Closed())
            return
        self._code_piece(line)
        self._newline_owed, self._line_begun = True, False

    def _code_piece(self, piece: str) -> None:
        assert self._fence is not None
        if not self._line_begun:
            piece = _without_indent(piece, self._fence.indent)
            if self._newline_owed:
                piece, self._newline_owed = "\n" + piece, False
        self._line_begun = True
        if piece:
            self._steps.append(Code(piece))

    def _code_so_far(self) -> None:
        """Shows the unfinished line of an open fence, unless it may become the closing one."""
        if self._fence is None or not self._rest:
            return
        if self._line_begun or not self._fence.perhaps_closed_by(self._rest):
            self._code_piece(self._rest)
            self._rest = ""


def _depth(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip(" "))


def _without_indent(line: str, width: int) -> str:
    return line[min(width, len(line) - len(line.lstrip(" "))) :]


def _is_item(line: str) -> bool:
    match = _ITEM.match(line.expandtabs(4))
    return match is not None and len(match[1]) <= 3 and not _RULE.match(line)


def _begins_maths(line: str) -> bool:
    return _depth(line) <= 3 and line.lstrip().startswith(("$$", "\\["))


def _interrupts(line: str) -> bool:
    """Whether this line ends a paragraph without a blank line between."""
    if _HEADING.match(line) or _RULE.match(line) or fence_of(line) is not None or _begins_maths(line):
        return True
    if line.lstrip(" ").startswith(">") and _depth(line) <= 3:
        return True
    match = _ITEM.match(line.expandtabs(4))
    return (
        match is not None
        and len(match[1]) <= 3
        and bool(match[4])
        and (not match[2][0].isdigit() or match[2] in ("1.", "1)"))
    )
