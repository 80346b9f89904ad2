"""Markdown that needs no parser: plain words with whole pieces of code, bold, italics and links.

Most of what models write is of that kind, and it is told in a fifth of the time. The tokens are markdown-it's own;
whatever is not beyond doubt is left to it.
"""

from __future__ import annotations

import re
from functools import cache

from markdown_it.token import Token
from msgspec import Struct


class Piece(Struct):
    """What a `Token` of markdown-it's says, for a fourth of its price."""

    type: str
    tag: str
    nesting: int
    content: str = ""
    markup: str = ""
    level: int = 0
    info: str = ""
    block: bool = False
    hidden: bool = False
    map: list[int] | None = None
    children: list[Piece] | None = None
    attrs: dict[str, str | int] = {}

    def attrGet(self, name: str) -> str | int | None:
        """The value of an attribute."""
        return self.attrs.get(name)


Said = Token | Piece
"""A token, whoever told it."""

_END = r"(?:(?<=[^\W_])|(?<=[.:,!?;)])(?=\*{1,2}(?:\s|\Z)))"
"""Where a closing mark closes: after a letter, or after a full stop and before a gap."""


@cache
def _words_with(others: str) -> re.Pattern[str]:
    """Each alternative means the same whatever stands before and after it. `others` are characters that stand for
    themselves, too."""
    plain = (
        rf"(?:[^\n\\`~*_\[\]!<&${others}]++|!(?!\[)|&(?![A-Za-z#])|<(?=[ =])"
        + (rf"|[{others}]" if others else "")
        + ")++"
    )
    return re.compile(
        rf"(?P<text>{plain})"
        r"|`(?P<code>[^`\n]++)`(?!`)"
        rf"|\*\*(?P<strong>(?=[^\W_]){plain}){_END}\*\*(?!\*)"
        rf"|\*(?P<em>(?=[^\W_]){plain}){_END}\*(?!\*)"
        rf"|\[(?P<words>(?=[^\W_]){plain})\]\((?P<address>https?://[a-z0-9.-]+(?:/[A-Za-z0-9./_=-]*)?)\)"
        r"|(?P<line>\n)(?![ \t\n])"
    )


_LINE = r"(?:[^\W\d_]|\*\*?[^\W_]|`[^`\n])[^\n\0]*(?<!\s)"
"""A line that can begin nothing but a paragraph: with a letter, bold or code."""


@cache
def _blocks() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A paragraph, a heading, an item. Made when they are needed: the first frame does not wait for them."""
    return (
        re.compile(rf"{_LINE}(?:\n{_LINE})*\Z"),
        re.compile(rf"(#{{1,6}}) ({_LINE})(?<!#)\Z"),
        re.compile(rf"(?:([-*+])|(\d{{1,9}})([.)])) ({_LINE})\Z"),
    )


def easy_words(source: str) -> list[Piece] | None:
    """The tokens within a block; None where the parser is needed."""
    tokens: list[Piece] = []
    at = 0
    for match in _words_with("$" if source.count("$") == 1 else "").finditer(source):
        if match.start() != at:
            return None
        at = match.end()
        kind = match.lastgroup
        if kind == "text":
            tokens.append(Piece("text", "", 0, content=match["text"]))
        elif kind == "code":
            code = match["code"]
            if code[0] == code[-1] == " " and code.strip(" "):
                code = code[1:-1]
            tokens.append(Piece("code_inline", "code", 0, content=code, markup="`"))
        elif kind == "line":
            if match.start() and source[match.start() - 1] == " ":  # a hard break, perhaps
                return None
            tokens.append(Piece("softbreak", "br", 0))
        elif kind == "address":
            words = Piece("text", "", 0, content=match["words"], level=1)
            link = Piece("link_open", "a", 1, attrs={"href": match["address"]})
            tokens += (link, words, Piece("link_close", "a", -1))
        else:
            assert kind is not None
            mark = "**" if kind == "strong" else "*"
            words = Piece("text", "", 0, content=match[kind], level=1)
            begin = Piece(f"{kind}_open", kind, 1, markup=mark)
            tokens += (begin, words, Piece(f"{kind}_close", kind, -1, markup=mark))
    return tokens if at == len(source) else None


def easy_block(source: str) -> list[Piece] | None:
    """The tokens of a paragraph, a heading or a list of one item; None where the parser is needed."""
    paragraph, heading, item = _blocks()
    if paragraph.match(source):
        return _paragraph(source, source.count("\n") + 1, 0, hidden=False)
    if (match := heading.match(source)) is not None:
        marks, words = match.groups()
        tag = f"h{len(marks)}"
        inline = _inline(words, 1, 1)
        if inline is None:
            return None
        return [
            Piece("heading_open", tag, 1, map=[0, 1], markup=marks, block=True),
            inline,
            Piece("heading_close", tag, -1, markup=marks, block=True),
        ]
    if (match := item.match(source)) is not None:
        return _item(*match.groups())
    return None


def _item(bullet: str | None, number: str | None, dot: str | None, words: str) -> list[Piece] | None:
    inside = _paragraph(words, 1, 2, hidden=True)
    if inside is None:
        return None
    name, tag, mark = ("bullet_list", "ul", bullet) if bullet else ("ordered_list", "ol", dot)
    assert mark is not None
    opens = Piece(f"{name}_open", tag, 1, map=[0, 1], markup=mark, block=True)
    if number is not None and int(number) != 1:
        opens.attrs = {"start": int(number)}
    return [
        opens,
        Piece("list_item_open", "li", 1, map=[0, 1], level=1, markup=mark, info=number or "", block=True),
        *inside,
        Piece("list_item_close", "li", -1, level=1, markup=mark, block=True),
        Piece(f"{name}_close", tag, -1, markup=mark, block=True),
    ]


def _paragraph(source: str, lines: int, level: int, *, hidden: bool) -> list[Piece] | None:
    inline = _inline(source, lines, level + 1)
    if inline is None:
        return None
    return [
        Piece("paragraph_open", "p", 1, map=[0, lines], level=level, block=True, hidden=hidden),
        inline,
        Piece("paragraph_close", "p", -1, level=level, block=True, hidden=hidden),
    ]


def _inline(source: str, lines: int, level: int) -> Piece | None:
    children = easy_words(source)
    if children is None:
        return None
    return Piece("inline", "", 0, map=[0, lines], level=level, children=children, content=source, block=True)
