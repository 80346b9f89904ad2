"""The parser's short cuts: whatever the words, the tokens are markdown-it's own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from vibedesk.ui.footnotes import note_reference
from vibedesk.ui.formulas import maths
from vibedesk.ui.reader import DEEPEST, reader

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


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_the_tokens_are_those_of_markdown_it(source: str) -> None:
    theirs, ours = USUAL.parse(source, {}), reader().parse(source, {})
    assert [token.as_dict() for token in ours] == [token.as_dict() for token in theirs]


def test_no_deeper_than_markdown_it_goes() -> None:
    for source in ("*a _b " * 40 + "_ *" * 40, "[" * 60 + "](x)" * 60, "> " * 30 + "deep", "**" * 50 + "x"):
        theirs, ours = USUAL.parse(source, {}), reader().parse(source, {})
        assert [token.as_dict() for token in ours] == [token.as_dict() for token in theirs]
