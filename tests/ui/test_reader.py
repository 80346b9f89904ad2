"""The parser's short cuts: whatever the words, the tokens are markdown-it's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from vibedesk.ui.easy import Piece, Said, easy_block
from vibedesk.ui.footnotes import note_reference
from vibedesk.ui.formulas import maths
from vibedesk.ui.reader import DEEPEST, reader, tokens_of

PIECES = (
    *(
        "word",
        "two words ",
        " ",
        "\n",
        "\n\n",
        "  \n",
        "é",
        "😀",
        "\\",
        "\\*",
        "<br>",
        "&amp;",
        "&",
        "!",
        "|",
        "|-|\n",
    ),
    *(
        "*",
        "**",
        "_",
        "__",
        "~",
        "~~",
        "`",
        "``",
        "[",
        "]",
        "(",
        ")",
        "[a](https://example.org/b_c)",
        "![b](c)",
    ),
    *(
        "<https://example.org>",
        "$x_1$",
        "$",
        "\\(y\\)",
        "[^1]",
        "- ",
        "1. ",
        "> ",
        "# ",
        "[x]: /u\n",
        "{",
        "+",
        ":",
    ),
)


def usual() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "formula", maths)
    parser.inline.ruler.before("link", "note", note_reference)
    return parser


USUAL = usual()


def told(tokens: Sequence[Said]) -> list[dict[str, Any]]:
    """All that tokens say. The words of no length that markdown-it leaves beside bold ones say nothing."""
    return [_said(token) for token in tokens]


def _said(token: Said) -> dict[str, Any]:
    facts = {name: getattr(token, name) for name in Piece.__struct_fields__}
    children = [_said(child) for child in token.children or () if child.type != "text" or child.content]
    return facts | {"children": children}


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_the_tokens_are_those_of_markdown_it(source: str) -> None:
    assert told(tokens_of(source, {})) == told(USUAL.parse(source, {}))


EASY = (
    *(
        "Words",
        "a",
        "é",
        "ß1",
        "_",
        " ",
        " ",
        "\n",
        ".",
        ":",
        ", and ",
        "!",
        "&",
        " < ",
        "$5",
        "(x)",
        "snake_case",
    ),
    *("**bold**", "**Bold.**", "*it*", "*It,*", "**", "*", "`code`", "` c `", "``", "`", "***", "**b*"),
    *("[a](https://example.org/b_c)", "[a b.](http://x.org)", "[a](https://x.org/?q)", "[", "]", "![", "\\"),
    *("# ", "## ", "- ", "* ", "1. ", "7) ", "#", "  ", "\t", "|", "---", "\n---", "\n- ", "\n1. ", "\x00"),
)


@settings(max_examples=1_500, deadline=None)
@given(
    st.sampled_from(("", "", "# ", "### ", "- ", "1. ", "12) ")),
    st.lists(st.sampled_from(EASY), min_size=1, max_size=12).map("".join),
)
def test_what_is_told_without_the_parser_is_what_it_would_say(mark: str, words: str) -> None:
    assert told(tokens_of(mark + words, {})) == told(USUAL.parse(mark + words, {}))


@given(st.from_regex(r"\Ahttps?://[a-z0-9.-]+(/[A-Za-z0-9./_=-]*)?\Z"))
def test_addresses_stay_as_markdown_it_leaves_them(address: str) -> None:
    source = f"See [this]({address.strip()})"
    assert told(tokens_of(source, {})) == told(USUAL.parse(source, {}))


@pytest.mark.parametrize(
    "source",
    [
        "A **paragraph** of `words` that goes on, with [a link](https://example.org/page) in *it*.",
        "## A heading",
        "- **Note:** an item for $5",
        "2. another one, it's (a) `small` one!",
        "Two lines\n**of** words",
    ],
)
def test_what_models_write_needs_no_parser(source: str) -> None:
    assert easy_block(source) is not None


def test_no_deeper_than_markdown_it_goes() -> None:
    for source in ("*a _b " * 40 + "_ *" * 40, "[" * 60 + "](x)" * 60, "> " * 30 + "deep", "**" * 50 + "x"):
        assert told(reader().parse(source, {})) == told(USUAL.parse(source, {}))
