"""The transcript: what ends up in it, what stays untouched, what it never does."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.looking import themed
from vibedesk.store.paths import resources
from vibedesk.ui.ink import Ink
from vibedesk.ui.script import plain_text
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

LONG = """\
# A heading

A paragraph with **bold**, *italic*, `code`, ~~gone~~ and [a link](https://example.org/a).
It goes on here.

1. one
2. two
   - nested

   ```sh
   echo "in a list"
   ```
3. three

- [ ] open
- [x] done

> quoted
> twice

| a | b |
|---|--:|
| 1 | `2` |

---

```python
def f(x):
    return x  # ünïcode 😀

```
Setext
======
The end, without a newline"""
WORDS = "word " * 60 + "\n\n"
CODE = "```py\n" + "x = 1\n" * 60
MUCH = [
    WORDS,
    CODE,
    "x = 1\n" * 60,
    "```\n\n" + WORDS,
    "- one\n" * 60,
    LONG,
    WORDS.strip(),
    "| a | b |\n" * 40,
]
"""Pieces that come in haste."""

_BLOCKS = "\n|\n\n|    |  |- |1. |2) |* |> |```|```py\n|~~~\n|````|# |---\n|***|===\n|\r\n|\t|- [x] |[r]: https://e.org\n"
_INLINE = "**|*|_|`|[x](|)|https://a.b/c|word |ä😀|<br>|\u2028|\x1b[31m|\\|![i](u)|[r]|&amp;"
_PIECES = st.sampled_from([*_BLOCKS.split("|"), *_INLINE.split("|"), "|", "| a | b |\n|--|--|\n"])
markdown = st.lists(_PIECES | st.text(max_size=6), max_size=40).map("".join)


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> Transcript:
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.resize(420, 500)
    view.show()
    return view


def answered(theme: Theme, pieces: list[str], calm_after: Container[int] = ()) -> str:
    """What stands there in the end; after some of the pieces there was time to draw what haste had left out."""
    view = Transcript(theme)
    view.begin()
    for number, piece in enumerate(pieces):
        view.append(piece)
        if number in calm_after:
            view.script.calm_down()
    view.end()
    text = view.document().toPlainText()
    view.deleteLater()
    return text


def cut_up(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


@given(text=markdown, cuts=st.lists(st.integers(0, 10_000), max_size=30))
@example(text=LONG, cuts=list(range(0, 1000, 3)))
@example(text="```\n``\n```", cuts=list(range(12)))
@example(text="x" * 9_000 + "\n" + "y" * 4_000 + "\nz", cuts=[1, 3_999, 4_000, 4_001, 8_500])
@example(text="```\n" + "`" * 5_000 + "\n```", cuts=list(range(0, 5_000, 7)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_a_text_is_cut_into_pieces_it_ends_the_same(theme: Theme, text: str, cuts: list[int]) -> None:
    assert answered(theme, cut_up(text, cuts)) == answered(theme, [text])


@given(st.lists(st.tuples(st.sampled_from(MUCH), st.booleans()), min_size=4, max_size=12))
@example([(WORDS, False), (WORDS, False), (WORDS, False), (CODE, True), ("y = 2\n", False)])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_haste_that_comes_and_goes_ends_the_same(theme: Theme, pieces: list[tuple[str, bool]]) -> None:
    said = [piece for piece, _ in pieces]
    calm_after = [number for number, (_, calm) in enumerate(pieces) if calm]
    assert answered(theme, said, calm_after) == answered(theme, ["".join(said)])


def test_nothing_a_model_said_is_lost(theme: Theme) -> None:
    text = answered(theme, [LONG])
    for word in re.findall(r"[A-Za-zäöü]{3,}", re.sub(r"https://\S+|```\w+|===+", "", LONG)):
        assert word in text


@pytest.mark.parametrize(
    "text", ["```py\n    0", "Hi\n\n```py\nx = 1\ny = ", "~~~\na\n\nb", "- one\n\n  ```\n  two"]
)
def test_an_answer_that_ends_inside_its_code_keeps_it(theme: Theme, text: str) -> None:
    words = re.findall(r"\w+", text.replace("```py", ""))
    for pieces in ([text], list(text)):
        said = answered(theme, pieces)
        assert [word for word in words if word not in said] == []


def test_a_finished_block_is_never_touched_again(view: Transcript) -> None:
    view.begin()
    for piece in cut_up(LONG, list(range(0, 1000, 5))):
        before = finished_blocks(view)
        view.append(piece)
        after = finished_blocks(view)
        assert after[: len(before)] == before


def finished_blocks(view: Transcript) -> list[tuple[int, str, int]]:
    """Place, text and layout revision of every block above the tail."""
    found = []
    block = view.document().begin()
    while block.isValid() and block.position() < view.script.tail_position:
        found.append((block.position(), block.text(), block.revision()))
        block = block.next()
    return found


def test_an_open_fence_shows_its_code_as_it_comes(view: Transcript) -> None:
    view.begin()
    view.append("```python\ndef f(")
    assert view.text() == "def f("
    view.append("):\n    pass\n``")
    assert view.text() == "def f():\n    pass"
    view.append("`\nafter")
    assert view.text() == "def f():\n    pass\nafter"


def test_code_is_coloured_by_the_theme(view: Transcript, theme: Theme) -> None:
    view.begin()
    view.append("```python\ndef f():\n    return 'x'\n```\n")
    view.end()
    cursor = view.document().find("def")
    assert cursor.charFormat().foreground().color() == theme.colour("keyword")
    assert view.document().find("'x'").charFormat().foreground().color() == theme.colour("string")


def test_reasoning_is_folded_until_it_is_clicked(view: Transcript) -> None:
    view.begin()
    view.think("first this,\nthen that")
    view.thought("Thought for 1.4 s")
    view.append("Answer.")
    view.end()
    assert view.text() == "▸ Thought for 1.4 s\nAnswer."
    view.anchorClicked.emit(QUrl(fold_address(view)))
    assert view.text() == "▾ Thought for 1.4 s\nfirst this,\nthen that\nAnswer."
    view.anchorClicked.emit(QUrl(fold_address(view)))
    assert view.text() == "▸ Thought for 1.4 s\nAnswer."


def test_an_open_fold_grows_while_reasoning_comes(view: Transcript) -> None:
    view.begin()
    view.think("one")
    view.anchorClicked.emit(QUrl(fold_address(view)))
    view.think(" two\nthree")
    view.append("**Answer** in")
    view.think(" late")
    view.append(" bold")
    view.end()
    assert view.text() == "▾ Thinking…\none two\nthree late\nAnswer in bold"


def fold_address(view: Transcript) -> str:
    block = view.document().begin()
    while block.isValid():
        for part in block.textFormats():
            if part.format.anchorHref().startswith("fold:"):
                return str(part.format.anchorHref())
        block = block.next()
    raise AssertionError("no fold")


def test_what_is_taken_back_is_gone(view: Transcript) -> None:
    view.say("Question")
    view.begin()
    view.append("Right. Wrong")
    view.take_back(6)
    view.append(" Better")
    view.end()
    assert view.text() == "Question\nRight. Better"


def test_stopped_and_cut_are_marked_under_the_text(view: Transcript) -> None:
    view.begin()
    view.append("half a sen")
    view.end([("stopped", "neutral", "")])
    assert view.text() == "half a sen\nstopped"


def test_another_theme_says_the_same_in_other_colours(qtbot: QtBot, qapp: QApplication) -> None:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.say("Q")
    view.begin()
    view.think("hm")
    view.append(LONG)
    before = view.document().toPlainText()
    light = view.document().find("paragraph").charFormat().foreground().color()
    theme.apply(qapp, "dark")
    assert view.document().toPlainText() == before
    assert view.document().find("paragraph").charFormat().foreground().color() != light
    theme.apply(qapp, "light")


def test_a_reader_at_the_end_is_taken_along(view: Transcript) -> None:
    view.begin()
    for number in range(60):
        view.append(f"Paragraph {number}\n\n")
    QApplication.processEvents()
    assert view.at_end()


def test_a_reader_further_up_stays_there_and_is_told(view: Transcript) -> None:
    view.begin()
    view.append("line\n\n" * 60)
    QApplication.processEvents()
    view.verticalScrollBar().setValue(40)
    view.append("more\n\n" * 20)
    QApplication.processEvents()
    assert view.verticalScrollBar().value() == 40
    assert view._pill.isVisible()
    view._pill.click()
    assert view.at_end()
    assert not view._pill.isVisible()


def test_a_selection_survives_what_comes_after_it(view: Transcript) -> None:
    view.begin()
    view.append("Select these words.\n\nAnd a growing tail")
    cursor = view.document().find("these words")
    view.setTextCursor(cursor)
    view.append(" that goes on\n\nand on")
    assert view.textCursor().selectedText() == "these words"


def test_a_selection_in_the_growing_tail_survives_too(view: Transcript) -> None:
    view.begin()
    view.append("growing tail")
    cursor = QTextCursor(view.document())
    cursor.setPosition(0)
    cursor.setPosition(7, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    view.append(" goes on.\n\nNext")
    assert view.textCursor().selectedText() == "growing"


def test_it_loads_nothing(view: Transcript, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"secret")
    view.begin()
    view.append(f"![a]({picture.as_uri()}) <img src='{picture}'> ![b](https://example.org/x.png)\n\n")
    view.end()
    kind = QTextDocument.ResourceType.ImageResource.value
    for name in (picture.as_uri(), str(picture), "p.png", "https://example.org/x.png", "qrc:/x"):
        assert view.document().resource(kind, QUrl(name)) == b" "
    assert "\ufffc" not in view.document().toPlainText()
    assert "[a]" in view.text()
    assert "<img" in view.text()


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "fold:1", "ftp://x/y"]
)
def test_a_link_that_may_not_be_opened_is_only_words(view: Transcript, address: str, qtbot: QtBot) -> None:
    view.begin()
    view.append(f"[click]({address})\n\n")
    view.end()
    assert not view.document().find("click").charFormat().isAnchor()
    with qtbot.assertNotEmitted(view.link_clicked):
        view.anchorClicked.emit(QUrl(address))


def test_a_link_is_told_and_not_followed(view: Transcript, qtbot: QtBot) -> None:
    view.begin()
    view.append("[click](https://example.org/a?b=c)\n\n")
    view.end()
    with qtbot.waitSignal(view.link_clicked) as told:
        view.anchorClicked.emit(QUrl(view.document().find("click").charFormat().anchorHref()))
    assert told.args == ["https://example.org/a?b=c"]
    assert view.source().isEmpty()


def test_code_is_copied_whole_and_harmless(view: Transcript) -> None:
    view.begin()
    view.append("```sh\nrm x # \u202etxt.exe\x1b[31m\n  two\n```\n")
    view.end()
    view.copy_listing(next(iter(view.script.pen.listings)))
    assert QGuiApplication.clipboard().text() == "rm x # ⟨U+202E⟩txt.exe␛[31m\n  two"


def test_clicking_copy_in_the_header_of_a_card_copies(view: Transcript, qtbot: QtBot) -> None:
    view.begin()
    view.append("```py\nprint(1)\n```\n")
    view.end()
    spot = view.hot()[0].rect.center().toPoint()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(spot.x(), spot.y()))
    assert QGuiApplication.clipboard().text() == "print(1)"


def test_a_selection_is_copied_as_plain_text(view: Transcript) -> None:
    view.begin()
    view.append("**bold** [l](https://e.org)\n\n")
    view.end()
    view.selectAll()
    mime = view.createMimeDataFromSelection()
    assert not mime.hasHtml()
    assert mime.text().strip() == "bold l"


def test_a_bubble_hugs_short_words_on_the_right(view: Transcript) -> None:
    view.say("Hi")
    shape = view.document().begin().blockFormat()
    assert shape.leftMargin() > view.column() / 2
    view.say("word " * 100)
    assert view.document().begin().next().blockFormat().leftMargin() < 60


def test_a_very_long_prompt_is_shown_in_part(view: Transcript) -> None:
    view.say("word " * 4_000)
    assert len(view.text()) < 5_000
    assert "▸ All 20,000 characters" in view.text()


def test_a_place_far_away_is_revealed(qtbot: QtBot) -> None:
    view = Transcript(themed())
    qtbot.addWidget(view)
    view.resize(420, 500)
    view.show()
    for number in range(120):
        view.say(f"question {number}")
        view.begin()
        view.append(
            f"Answer **{number}**, word for word. " * 8 + "\n\n" + f"needle {number} and needle again\n\n"
        )
        view.end()
    assert not view.script.whole
    for entry, nth in ((7, 1), (221, 0), (101, 1), (0, 0)):
        words = "needle" if entry % 2 else "question"
        assert view.reveal(entry, words, nth)
        cursor = view.textCursor()
        assert cursor.selectedText() == words
        assert str(entry // 2) in cursor.block().text()
        assert view.viewport().rect().intersects(view.cursorRect())
    assert not view.reveal(9999, "needle", 0)


def test_plain_text_has_the_words_and_not_the_marks() -> None:
    markdown = "# Title\n\nSome **bold** and `code`:\n\n```py\nx = 1\n```\n\n- one\n- two"
    assert plain_text(markdown, Ink(themed())) == "Title\nSome bold and code:\nx = 1\n•\tone\n•\ttwo"
