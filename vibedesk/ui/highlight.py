"""Which characters of some code are keyword, string, name or comment: Pygments' tokens in the theme's four words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from time import thread_time
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from PySide6.QtCore import QRunnable, QThreadPool

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

LONGEST = 24_000
"""Characters beyond which code stays plain: Pygments takes about 1.5 µs a character."""
PATIENCE_S = 0.06
"""After this much processor time the rest of a piece of code stays plain: some grammars are slow on hostile input."""


class Span(Struct, frozen=True):
    """Characters `start` to `end` of one line, counted as Qt counts them (UTF-16), in the colour `token`."""

    start: int
    end: int
    token: str


_loaded: set[str] = set()
_loading: set[str] = set()


def known(language: str) -> bool:
    """Whether the grammar is there. If not it is loaded in a thread from now on: the first takes 40 ms."""
    if language not in _loaded and language not in _loading:
        _loading.add(language)
        QThreadPool.globalInstance().start(_Load(language))
    return language in _loaded


class _Load(QRunnable):
    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def run(self) -> None:
        try:
            _lexer(self._language)
        finally:
            _loaded.add(self._language)


def lines_of(code: str, language: str) -> list[tuple[Span, ...]]:
    """The spans of each line; empty ones where the language is unknown or the code too long."""
    return list(each_line(code, language))


def each_line(code: str, language: str) -> Iterator[tuple[Span, ...]]:
    """The same, line by line, so that the work can be spread over frames."""
    lexer = _lexer(language) if len(code) <= LONGEST else None
    left = code.count("\n") + 1
    if lexer is not None:
        for spans in _lines(lexer, code):
            left -= 1
            yield spans
    for _ in range(left):
        yield ()


def _lines(lexer: Lexer, code: str) -> Iterator[tuple[Span, ...]]:
    """Whole lines, as far as patience reaches; the time between two of them is not ours."""
    spans: list[Span] = []
    column, spent, since = 0, 0.0, thread_time()
    for token, piece in _tokens(lexer, code):
        if spent + thread_time() - since > PATIENCE_S:
            break
        for index, part in enumerate(piece.split("\n")):
            if index:
                spent += thread_time() - since
                yield tuple(spans)
                since = thread_time()
                spans, column = [], 0
            width = _width(part)
            if token and width:
                spans.append(Span(column, column + width, token))
            column += width
    yield tuple(spans)


def _tokens(lexer: Lexer, code: str) -> Iterator[tuple[str, str]]:
    """Every piece of the code with its theme token; a plain name before a bracket counts as a call."""
    from pygments.token import Name

    waiting: str | None = None
    for _, kind, piece in lexer.get_tokens_unprocessed(code):
        if waiting is not None:
            yield ("name" if piece.startswith("(") else ""), waiting
            waiting = None
        if kind is Name or kind is Name.Other:
            waiting = piece
        else:
            yield _token(kind), piece
    if waiting is not None:
        yield "", waiting


@cache
def _token(kind: _TokenType) -> str:
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    colours = (
        ("comment", (Comment,)),
        ("keyword", (Keyword, Operator.Word, Name.Tag)),
        ("string", (String, Number)),
        ("name", (Name.Function, Name.Class, Name.Builtin, Name.Decorator, Name.Exception, Name.Attribute)),
    )
    for token, parents in colours:
        if any(_within(kind, parent) for parent in parents) and kind is not Name.Builtin.Pseudo:
            return token
    return ""


def _within(kind: Any, parent: Any) -> bool:
    return kind in parent  # Pygments' own notion of a token below another


@cache
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if language in ("", "text", "plain", "txt"):
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
