"""Foreign text made harmless: what a model, a file or a paste may say without steering the screen or a terminal."""

from __future__ import annotations

from urllib.parse import urlsplit

OPENABLE = ("http", "https", "mailto")

_REPLACEMENT = "\ufffd"
# U+FDD0/FDD1 open and close frames inside a QTextDocument, U+FFFC stands for an image: never let text forge them.
_FORGERS = (*range(0xFDD0, 0xFDF0), 0xFFFC, 0xFFFE, 0xFFFF)
_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
_CONTROLS |= {0x7F: "\u2421"} | dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)
_BREAKS = {0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
_DIRECTIONS = {code: f"⟨U+{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_MARKS = {code: f"⟨U+{code:04X}⟩" for code in (0x061C, 0x200E, 0x200F)}

_PROSE = dict.fromkeys(_FORGERS, _REPLACEMENT) | _CONTROLS | _SURROGATES | _DIRECTIONS | {0x0D: None}
_INLINE = _PROSE | {0x2028: " ", 0x2029: " ", 0x85: " "}
_CODE = _PROSE | _BREAKS | _MARKS


def prose(text: str) -> str:
    """Text for reading: control characters made visible, overrides of the writing direction spelled out.

    Right-to-left marks stay, they belong to honest Hebrew and Arabic. U+2028, U+2029 and U+0085 are no line ends.
    """
    return text.translate(_INLINE)


def code(text: str) -> str:
    """Text that may be copied into a shell: besides what `prose` does, no invisible direction mark survives."""
    return text.translate(_CODE)


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
