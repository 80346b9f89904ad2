"""What the terminal face writes with: plain or coloured text, aligned tables, JSON, one sentence for an error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, TextIO

_STYLES = {"dim": "2", "bold": "1", "ok": "32", "warn": "33", "bad": "31", "accent": "36"}

# Escape sequences, control characters and bidirectional overrides: foreign text must not steer the terminal.
_STYLE_BEGINS = f"\ufdd0{os.urandom(8).hex()}\ufdd0"
"""Stands for the escape character of our own styles until a line is written: no foreign text can know it."""
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Output:
    """Standard output and error as the commands see them. With `as_json` nothing but JSON reaches standard output."""

    def __init__(self, *, as_json: bool, environ: Mapping[str, str]) -> None:
        self.as_json = as_json
        self.out: TextIO = sys.stdout
        self.err: TextIO = sys.stderr
        self.interactive = _is_terminal(self.out)
        self._colour_out = _may_colour(self.out, environ)
        self._colour_err = _may_colour(self.err, environ)
        _never_fail_to_encode(self.out, utf8=as_json)
        _never_fail_to_encode(self.err, utf8=False)

    def json(self, value: Any) -> None:
        """One JSON value on a line of its own, flushed."""
        self.out.write(json.dumps(value, ensure_ascii=False) + "\n")
        self.out.flush()

    def line(self, text: str = "") -> None:
        """A line; of foreign text in it nothing steers the terminal."""
        self.out.write(harmless(text).replace(_STYLE_BEGINS, "\x1b") + "\n")

    def stream(self, text: str) -> None:
        """A piece of an answer, at once. A terminal gets no control characters; a file gets the text as it is."""
        self.out.write(harmless(text) if self.interactive else text)
        self.out.flush()

    def note(self, text: str, style: str = "dim") -> None:
        """A line beside the answer, on standard error."""
        styled = self._styled(text, style, self._colour_err)
        self.err.write(harmless(styled).replace(_STYLE_BEGINS, "\x1b") + "\n")
        self.err.flush()

    def error(self, sentence: str) -> None:
        """What went wrong, on standard error, as `vibedesk: …`."""
        self.out.flush()
        self.note(f"vibedesk: {one_line(sentence)}", "bad")

    def styled(self, text: str, style: str) -> str:
        """`text` in a style where standard output shows colours, as it is elsewhere."""
        return self._styled(text, style, self._colour_out)

    @staticmethod
    def _styled(text: str, style: str, coloured: bool) -> str:
        text = text.replace(_STYLE_BEGINS, "")
        if not (coloured and text and style in _STYLES):
            return text
        return f"{_STYLE_BEGINS}[{_STYLES[style]}m{text}{_STYLE_BEGINS}[0m"

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Sequence[int] = (),
        styles: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        """Aligned columns, two spaces apart. `right`: columns of numbers; `styles`: column → cell text → style."""
        cells = [[one_line(cell) for cell in row] for row in rows]
        widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]

        def padded(row: Sequence[str], i: int) -> str:
            last = i == len(head) - 1 and i not in right
            return row[i].rjust(widths[i]) if i in right else row[i] if last else row[i].ljust(widths[i])

        self.line(self.styled("  ".join(padded(head, i) for i in range(len(head))).rstrip(), "dim"))
        for row in cells:
            shown = [
                self.styled(padded(row, i), (styles or {}).get(i, {}).get(row[i], ""))
                for i in range(len(row))
            ]
            self.line("  ".join(shown).rstrip())


def harmless(text: str) -> str:
    """`text` without the characters that steer a terminal; tabs and line ends stay."""
    return _STEERING.sub("", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    return harmless(" ".join(text.split()))


def _is_terminal(stream: TextIO) -> bool:
    with suppress(ValueError):
        return stream.isatty()
    return False


def _may_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """https://no-color.org: set and not empty = no colour."""
    return _is_terminal(stream) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _never_fail_to_encode(stream: TextIO, *, utf8: bool) -> None:
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(encoding="utf-8" if utf8 else None, errors="replace")


def close_quietly() -> None:
    """After the reader went away: whatever Python still flushes at exit goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
