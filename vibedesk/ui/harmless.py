"""Foreign text made harmless: what a model, a file or a paste may say without steering the screen or a terminal."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

OPENABLE = ("http", "https", "mailto")

_REPLACEMENT = "\ufffd"
_BREAKS = {0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
_SPACES = {0x2028: " ", 0x2029: " ", 0x85: " "}


def _signs(*codes: int) -> dict[int, str]:
    return {code: f"⟨U+{code:04X}⟩" for code in codes}


# The tables are made when something foreign is first shown, which the first frame does not.


@cache
def _prose() -> dict[int, str | None]:
    # U+FDD0/FDD1 open and close frames inside a QTextDocument, U+FFFC stands for an image: never let text forge them.
    forgers = (*range(0xFDD0, 0xFDF0), 0xFFFC, 0xFFFE, 0xFFFF)
    replaced = (*forgers, *range(0xD800, 0xE000), *range(0x80, 0xA0))
    table: dict[int, str | None] = dict.fromkeys(replaced, _REPLACEMENT)
    table |= {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)}
    return table | {0x7F: "\u2421", 0x0D: None} | _signs(*range(0x202A, 0x202F), *range(0x2066, 0x206A))


@cache
def _inline() -> dict[int, str | None]:
    return _prose() | _SPACES


@cache
def _code() -> dict[int, str | None]:
    return _prose() | _BREAKS | _signs(0x061C, 0x200E, 0x200F)


def prose(text: str) -> str:
    """Text for reading: control characters made visible, overrides of the writing direction spelled out.

    Right-to-left marks stay, they belong to honest Hebrew and Arabic. U+2028, U+2029 and U+0085 are no line ends.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_inline())


def code(text: str) -> str:
    """Text that may be copied into a shell: besides what `prose` does, no invisible direction mark survives."""
    return text if text.isascii() and text.isprintable() else text.translate(_code())


def one_line(text: str, limit: int = 300) -> str:
    """A name or a message for a label: one line, at most `limit` characters."""
    flat = " ".join(code(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def may_open(address: str) -> bool:
    """Whether a click may lead there: http, https and mailto, with a host or a mailbox."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() in OPENABLE and bool(parts.netloc or parts.scheme.lower() == "mailto")
