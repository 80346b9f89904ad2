"""Blocks and their Markdown: decided line by line, harmless, and quick on hostile input."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlock, QTextDocument
from PySide6.QtWidgets import QApplication

from vibedesk.store.paths import resources
from vibedesk.ui import harmless
from vibedesk.ui.blocks import Blocks, Closed, Code, Markdown, Opened, Plain, Step
from vibedesk.ui.highlight import lines_of
from vibedesk.ui.ink import KIND, Ink
from vibedesk.ui.script import Script
from vibedesk.ui.theme import Theme


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


def steps(text: str) -> list[Step]:
    blocks = Blocks()
    return [*blocks.feed(text), *blocks.close()]


def shown(theme: Theme, text: str) -> QTextDocument:
    document = QTextDocument()
    script = Script(document, Ink(theme))
    script.begin()
    script.append(text)
    script.end()
    return document


def words(theme: Theme, text: str) -> str:
    return shown(theme, text).toPlainText().strip("\n")


def test_a_paragraph_is_finished_by_an_empty_line() -> None:
    blocks = Blocks()
    assert blocks.feed("one\ntwo\n") == []
    assert blocks.feed("\nthree") == [Markdown("one\ntwo")]
    assert blocks.tail == "three"


def test_a_heading_is_finished_by_its_own_line() -> None:
    assert Blocks().feed("# Title\nrest") == [Markdown("# Title")]


def test_a_fence_gives_its_code_piece_by_piece() -> None:
    blocks = Blocks()
    assert blocks.feed("```py\na") == [Opened("py"), Code("a")]
    assert blocks.feed("b\n\nc\n``") == [Code("b"), Code("\n"), Code("\nc")]
    assert blocks.feed("`\n") == [Closed()]


def test_what_looks_like_a_closing_fence_waits_for_the_end_of_its_line() -> None:
    blocks = Blocks()
    blocks.feed("```\nx\n")
    assert blocks.feed("```") == []
    assert blocks.feed("y\n") == [Code("\n```y")]


def test_a_longer_fence_holds_a_shorter_one() -> None:
    assert steps("````\n```\nx\n```\n````\n") == [
        Opened(""),
        Code("```"),
        Code("\nx"),
        Code("\n```"),
        Closed(),
    ]


def test_each_item_of_a_list_is_finished_by_the_next_one_and_keeps_its_number() -> None:
    found = steps("1. a\n1. b\n\n1. c\n\nend")
    assert [(one.number, one.follows) for one in found if isinstance(one, Markdown)] == [
        (1, False),
        (2, True),
        (3, True),
        (None, False),
    ]


def test_a_fence_inside_an_item_belongs_to_it() -> None:
    assert len(steps("1. a\n   ```\n   # no heading\n\n   - no item\n   ```\n2. b\n")) == 2


def test_an_unclosed_fence_is_closed_at_the_end() -> None:
    assert steps("```\nx")[-1] == Closed()


def test_a_line_too_long_is_plain_text() -> None:
    found = steps("**" + "x" * 10_000 + "**\n\nafter")
    assert [type(one) for one in found] == [Plain, Plain, Plain, Markdown]
    assert [one.starts for one in found if isinstance(one, Plain)] == [True, False, False]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a **b** *c* `d`", "a b c d"),
        ("- one\n- two\n  - three", "•\tone\n•\ttwo\n◦\tthree"),
        ("3. one\n4. two", "3.\tone\n4.\ttwo"),
        ("- [ ] open\n- [x] done", "☐\topen\n☑\tdone"),
        ("a<br>b", "a\nb"),
        ("# T\n\ntext", "T\ntext"),
        ("> said\n> more", "said\nmore"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("[ref]: https://e.org\n\nsee [ref]", "see ref"),
        ("*open **ends", "*open **ends"),
        ("\x1b[31mred\x07", "␛[31mred␇"),
        ("\ufdd0frame\ufdd1\ufffc", "\ufffdframe\ufffd\ufffd"),
        ("\ud83d lone", "\ufffd lone"),
    ],
)
def test_what_is_written_is_what_can_be_read(theme: Theme, source: str, expected: str) -> None:
    assert words(theme, source) == expected


def test_a_table_is_a_table(theme: Theme) -> None:
    document = shown(theme, "| a | b |\n|---|--:|\n| 1 | **2** |\n\nafter")
    frames = document.rootFrame().childFrames()
    assert len(frames) == 1
    assert document.toPlainText().split() == ["a", "b", "1", "2", "after"]


def blocks_of(document: QTextDocument) -> list[QTextBlock]:
    block, found = document.begin(), []
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


@pytest.mark.parametrize(
    "source", ["- פריט ראשון\n- פריט שני\n", "1. פריט\n2. שני\n", "- [ ] פריט\n- **מילה** English\n"]
)
def test_a_list_read_from_right_to_left_keeps_its_markers_inside_the_right_margin(
    theme: Theme, source: str
) -> None:
    document = shown(theme, source)
    document.setDocumentMargin(0)
    document.setTextWidth(300)
    document.size()  # lays it out
    for block in blocks_of(document)[:2]:
        line = block.layout().lineAt(0)
        assert 290 < block.layout().position().x() + line.naturalTextRect().right() <= 300
        assert block.textDirection() == Qt.LayoutDirection.RightToLeft
        begin = block.layout().position().x() + line.cursorToX(block.text().index("\t") + 1)[0]
        assert begin == pytest.approx(300 - block.blockFormat().rightMargin(), abs=1)


def test_an_item_read_from_left_to_right_stays_at_the_left_whatever_its_sign(theme: Theme) -> None:
    document = shown(theme, "- naïve שלום\n- שלום\n")
    first, second = blocks_of(document)[:2]
    assert (first.blockFormat().leftMargin(), first.blockFormat().rightMargin()) == (16, 0)
    assert (second.blockFormat().leftMargin(), second.blockFormat().rightMargin()) == (0, 16)


def test_a_huge_table_is_shown_as_it_was_written(theme: Theme) -> None:
    document = shown(theme, "|a|b|\n|-|-|\n" + "|1|2|\n" * 400 + "\n")
    assert not document.rootFrame().childFrames()
    assert "|1|2|" in document.toPlainText()


def test_code_stands_on_a_card(theme: Theme) -> None:
    document = shown(theme, "text\n\n```py\nx = 1\ny = 2\n```\n")
    kinds = []
    block = document.begin()
    while block.isValid():
        kinds.append(block.blockFormat().stringProperty(KIND))
        block = block.next()
    assert kinds == ["paragraph", "code", "code", ""]


HOSTILE = {
    "brackets": "[" * 30_000,
    "stars": "*a " * 10_000,
    "nested quotes": ">" * 30_000 + "x",
    "nested lists": "\n".join("  " * n + "- x" for n in range(300)),
    "backticks": "`" * 15_000 + "x" + "`" * 14_999,
    "backtick ladder": " ".join("`" * n for n in range(1, 150)),
    "links": "[a](" * 8_000,
    "images": "![" * 10_000,
    "table": "|a" * 5_000 + "\n" + "|-" * 5_000 + "\n",
    "emphasis": "**_" * 8_000,
    "entities": "&#" * 12_000,
    "one line": "x" * 200_000,
    "addresses": "https://" * 4_000,
    "angle": "<" * 30_000,
    "code": "```python\n" + "(" * 20_000 + "\n```\n",
    "strings": "```python\n" + "'''\"\"\"" * 3_000 + "\n```\n",
    "references": "".join(f"[{n}]: https://e.org/{n}\n" for n in range(500)),
    "lines": "\n".join(["a"] * 5_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markdown_never_holds_the_window_up(theme: Theme, name: str) -> None:
    """In pieces as the frame timer gives them: none may take long (M6: 100 ms; here with room for a slow machine)."""
    document = QTextDocument()
    script = Script(document, Ink(theme))
    script.begin()
    text = HOSTILE[name]
    slowest = 0.0
    for start in range(0, len(text), 4_096):
        began = time.thread_time()
        script.append(text[start : start + 4_096])
        slowest = max(slowest, time.thread_time() - began)
    script.end()
    assert slowest < 0.4


def test_pygments_colours_by_line_and_counts_as_qt_counts() -> None:
    lines = lines_of("s = '😀'\nf()", "python")
    assert [(one.start, one.end, one.token) for one in lines[0]][-1] == (6, 8, "string") or lines[0][
        -1
    ].end == 8
    assert [(one.start, one.end, one.token) for one in lines[1]] == [(0, 1, "name")]


def test_an_unknown_language_stays_plain() -> None:
    assert lines_of("a\nb", "no such language") == [(), ()]


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://e.org", True),
        ("http://e.org/x", True),
        ("mailto:a@b.org", True),
        ("HTTPS://e.org", True),
        ("https:", False),
        ("//e.org", False),
        ("file:///x", False),
        ("javascript:x", False),
        ("vbscript:x", False),
        ("http://[bad", False),
    ],
)
def test_only_the_web_and_mail_may_be_opened(address: str, may: bool) -> None:
    assert harmless.may_open(address) is may


def test_a_name_is_one_harmless_line() -> None:
    assert harmless.one_line("a\nb\x1b\u202ec" + "d" * 400, 20) == "a b␛⟨U+202E⟩cdddddd…"
