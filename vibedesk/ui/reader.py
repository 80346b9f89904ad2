"""The parser of Markdown: markdown-it's CommonMark with tables, formulas and footnotes, quick about plain words.

markdown-it tries every rule at every character that any rule of any plug-in may begin with. Here each rule is tried
only at the characters it looks for, and words without any of them are one token at once; the tokens are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from vibedesk.ui.easy import Said, easy_block, easy_words
from vibedesk.ui.footnotes import note_reference
from vibedesk.ui.formulas import maths

DEEPEST = 12
_BEGINNINGS = {
    "newline": "\n",
    "formula": "$\\",
    "escape": "\\",
    "backticks": "`",
    "strikethrough": "~",
    "emphasis": "*_",
    "note": "[",
    "link": "[",
    "image": "!",
    "autolink": "<",
    "entity": "&",
}
"""Each rule looks at the character it stands at first, and wants one of these."""
_STOP = re.compile(r"[\n$\\`~*_\[\]!<&]")
"""Where plain words end: what a rule may begin with, and the end of a link's words."""

_Rule = Callable[[StateInline, bool], bool]


class _Inline(ParserInline):
    def __init__(self, made: ParserInline) -> None:
        super().__init__()
        self.ruler, self.ruler2 = made.ruler, made.ruler2
        self.terminator_re = _STOP
        self._rules: dict[str, tuple[_Rule, ...]] = {}

    def learn(self) -> None:
        """Which rules begin with which character, in their order; to be called once all are there."""
        names, rules = self.ruler.get_active_rules(), self.ruler.getRules("")
        begin = [(_BEGINNINGS.get(name, ""), rule) for name, rule in zip(names, rules, strict=True)]
        self._rules = {
            letter: tuple(rule for letters, rule in begin if letter in letters)
            for letter in "".join(letters for letters, _ in begin)
        }

    def tokenize(self, state: StateInline) -> None:
        """Tokens for the whole of `state`."""
        deepest, end, source = state.md.options["maxNesting"], state.posMax, state.src
        while state.pos < end:
            stop = _STOP.search(source, state.pos, end)
            begin = stop.start() if stop is not None else end
            if state.level >= deepest:  # nothing is looked for any more
                begin = end
            if begin > state.pos:
                state.append_pending(source[state.pos : begin])
                state.pos = begin
                continue
            for rule in self._rules.get(source[begin], ()):
                if rule(state, False):
                    break
            else:
                state.append_pending(source[begin])
                state.pos = begin + 1
        if state.pending:
            state.pushPending()

    def parse(self, src: str, md: MarkdownIt, env: object, tokens: list[Token]) -> list[Token]:
        """Appends the tokens of `src`."""
        easy = easy_words(src)
        if easy is not None:
            tokens += cast(list[Token], easy)
            return tokens
        return super().parse(src, md, env, tokens)  # type: ignore[arg-type]


def tokens_of(source: str, known: dict[str, Any]) -> Sequence[Said]:
    """A block's tokens; `known` are the references of the blocks before it."""
    easy = easy_block(source)
    return reader().parse(source, known) if easy is None else easy


@cache
def reader() -> MarkdownIt:
    """The one parser: it keeps nothing between two blocks but what its caller hands it."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parser.enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
    parser.inline.ruler.before("escape", "formula", maths)
    parser.inline.ruler.before("link", "note", note_reference)
    parser.inline = inline = _Inline(parser.inline)
    inline.learn()
    return parser
