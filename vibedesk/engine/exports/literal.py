"""The literal part of TypeScript: object literals, the constants they name, and what of them is not a plain value.

Tolerant: what cannot be known without running the file becomes an `Unknown`, and the rest is still read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from vibedesk.engine.errors import Misconfigured

DEEPEST = 40


class Unknown(Struct, frozen=True):
    """A value that stands for something else; `words` as they are written."""

    words: str


class Missing(Misconfigured):
    """There is no such constant, or it is no object literal."""


_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<number>-?(?:0x[0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?))
    |(?P<word>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)
    |(?P<spread>\.\.\.)
    |(?P<mark>[{}\[\]:,()])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CONSTANT = re.compile(r"\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::[^={;]*)?=\s*\{")
_ENUM = re.compile(r"\benum\s+([A-Za-z_$][\w$]*)\s*\{([^}]*)\}")
_MEMBER = re.compile(r"([A-Za-z_$][\w$]*)\s*=\s*(\"[^\"\n]*\"|'[^'\n]*')")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\n": ""}


class Source:
    """A file's text; `constant` reads one of its object literals, with the other constants put in."""

    def __init__(self, text: str, known: Mapping[str, Any] | None = None) -> None:
        self._text = text
        self._starts = {match[1]: match.end() - 1 for match in _CONSTANT.finditer(text)}
        self._values: dict[str, Any] = {**(known or {}), **_enums(text)}
        self._reading: list[str] = []

    def constants(self) -> tuple[str, ...]:
        """Names of the object literals, in their order."""
        return tuple(self._starts)

    def object_at(self, place: int) -> dict[str, Any]:
        """The object literal that begins with the brace at `place`. Raises `Misconfigured`."""
        return _Reader(self._text[place:], self).object(0)

    def constant(self, name: str) -> dict[str, Any]:
        """Raises `Missing`; `Misconfigured` where it is not written as a literal."""
        if name not in self._starts or name in self._reading:
            raise Missing(f"There is no {name} = {{ … }} in this.")
        self._reading.append(name)
        try:
            return self.object_at(self._starts[name])
        finally:
            self._reading.pop()

    def value(self, words: str) -> Any:
        """What a name stands for: an enum's member, another literal or a part of one; else `Unknown`."""
        if words in self._values:
            return self._values[words]
        name, *path = words.split(".")
        try:
            found: Any = self.constant(name)
        except Misconfigured:
            return Unknown(words)
        for step in path:
            if not isinstance(found, dict) or step not in found:
                return Unknown(words)
            found = found[step]
        return found


def _enums(text: str) -> dict[str, str]:
    return {
        f"{name}.{member}": value[1:-1]
        for name, body in _ENUM.findall(text)
        for member, value in _MEMBER.findall(body)
    }


class _Reader:
    """Tokens are taken off the front of a list that is kept last first."""

    def __init__(self, text: str, source: Source) -> None:
        found = ((match.lastgroup, match[0]) for match in _TOKEN.finditer(text))
        self._tokens = [(kind, token) for kind, token in found if kind]
        self._tokens.reverse()
        self._source = source

    def object(self, depth: int) -> dict[str, Any]:
        self._take("{")
        values: dict[str, Any] = {}
        while self._next() != "}":
            kind, name = self._pop()
            if kind == "spread":
                spread = self._value(depth)
                values |= spread if isinstance(spread, dict) else {f"...{_told(spread)}": spread}
            elif kind not in ("word", "string", "number"):
                raise _odd(name)
            elif self._next() == ":":
                self._pop()
                values[_unquoted(name) if kind == "string" else name] = self._value(depth)
            else:  # { name } for { name: name }, or a method
                values[name] = self._source.value(name) if self._next() in ",}" else self._unknown(name)
            if self._next() == ",":
                self._pop()
        self._take("}")
        return values

    def _value(self, depth: int) -> Any:
        if depth >= DEEPEST:
            raise Misconfigured("AGENT_CONFIG is nested too deep to be read.")
        match self._next():
            case "{":
                found: Any = self.object(depth + 1)
            case "[":
                found = self._list(depth + 1)
            case _:
                found = self._simple()
        while self._next() in ("as", "satisfies"):
            self._skip()
        return found if self._next() in (",", "}", "]", "") else self._unknown(_told(found))

    def _list(self, depth: int) -> list[Any]:
        self._take("[")
        values = []
        while self._next() != "]":
            values.append(self._value(depth))
            if self._next() == ",":
                self._pop()
        self._take("]")
        return values

    def _simple(self) -> Any:
        kind, token = self._pop()
        match kind, token:
            case "string", _ if token[0] == "`" and "${" in token:
                return Unknown(token)
            case "string", _:
                return _unquoted(token)
            case "number", _:
                return _number(token)
            case _, "undefined" | "null":
                return None
            case _, "true" | "false":
                return token == "true"
            case "word", _ if self._next() in (",", "}", "]", "as", "satisfies"):
                return self._source.value(token)
        return self._unknown(token) if token not in (",", "}", "]", ":") else _raise(_odd(token))

    def _skip(self) -> None:
        """A type after `as`: a word, with whatever is written behind it."""
        self._pop()
        self._unknown("")

    def _unknown(self, begun: str) -> Unknown:
        """Everything to the end of this value, brackets inside it included."""
        words, open = [begun] if begun else [], 0
        while self._tokens and (open or self._next() not in (",", "}", "]")):
            _, token = self._pop()
            open += (token in "([{") - (token in ")]}")
            words.append(token)
            if not begun and not open:
                break
        return Unknown(" ".join(words)[:80])

    def _next(self) -> str:
        return self._tokens[-1][1] if self._tokens else ""

    def _pop(self) -> tuple[str, str]:
        if not self._tokens:
            raise _odd("the end")
        return self._tokens.pop()

    def _take(self, mark: str) -> None:
        _, token = self._pop()
        if token != mark:
            raise _odd(token)


def _told(value: Any) -> str:
    return value.words if isinstance(value, Unknown) else json.dumps(value, default=str)[:80]


def _number(token: str) -> int | float:
    token = token.replace("_", "")
    if "x" in token:
        return int(token, 16)
    return float(token) if any(mark in token for mark in ".eE") else int(token)


def _unquoted(token: str) -> str:
    def escaped(match: re.Match[str]) -> str:
        if match[1][0] == "u":
            return chr(int(match[1][1:].strip("{}"), 16) & 0x1FFFFF)
        return _ESCAPES.get(match[1], match[1])

    return re.sub(r"\\(u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,5}\}|.)", escaped, token[1:-1], flags=re.DOTALL)


def _odd(token: str) -> Misconfigured:
    return Misconfigured(f"AGENT_CONFIG cannot be read at “{token[:40]}”: only plain values are understood.")


def _raise(error: Exception) -> Any:
    raise error
