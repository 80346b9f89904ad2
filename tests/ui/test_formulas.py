"""Formulas and footnotes: what is one, how it is drawn and copied, and what hostile ones cannot do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage, QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.looking import themed
from vibedesk.ui.blocks import Blocks
from vibedesk.ui.code_sheet import CodeSheet
from vibedesk.ui.footnotes import note_number, notes_in
from vibedesk.ui.formulas import (
    LONGEST,
    NOT_SET,
    SOURCE,
    effort,
    formula_at,
    formula_of,
    read,
    set_formula,
    settable,
)
from vibedesk.ui.transcript import Transcript


@pytest.mark.parametrize(
    ("text", "latex", "display"),
    [
        ("$x$", "x", False),
        ("$a_1 + b$ more", "a_1 + b", False),
        (r"\(x^2\)", "x^2", False),
        (r"$\$5$", r"\$5", False),
        ("$$ x $$", "x", True),
        ("$$\nx\n= y\n$$", "x\n= y", True),
        (r"\[ x \]", "x", True),
    ],
)
def test_what_a_formula_is(text: str, latex: str, display: bool) -> None:
    found = formula_at(text, 0)
    assert found is not None
    assert (found[0], found[2]) == (latex, display)


@pytest.mark.parametrize(
    "text",
    ["$5 or $10", "$ x$", "$x $", "$x", "$$", "$$$$", r"\(x", r"\[", "$x$5", "$" + "x" * (LONGEST + 1) + "$"],
)
def test_what_is_none(text: str) -> None:
    assert formula_at(text, 0) is None


def test_a_formula_on_its_own_is_one_block_whatever_its_lines_look_like() -> None:
    blocks = Blocks()
    steps = blocks.feed("So\n$$\na\n=\nb\n- c\n$$\n\nand") + blocks.close()
    sources = [step.source for step in steps]  # type: ignore[union-attr]
    assert sources == ["So", "$$\na\n=\nb\n- c\n$$", "and"]
    assert formula_of(sources[1]) == ("a\n=\nb\n- c", sources[1], True)
    begun = Blocks()
    assert [step.source for step in begun.feed("$$\na\n\nb\n")] == ["$$\na"]  # type: ignore[union-attr]


HOSTILE = [
    "{" * 400 + "x" + "}" * 400,
    r"\sqrt{" * 60 + "x" + "}" * 60,
    r"\left(" * 60 + "x" + r"\right)" * 60,
    r"\frac{1}{2}" * 400,
    "x^" * 2_000,
    r"\begin{matrix}" * 9 + r"\end{matrix}" * 9,
    "&" * 900 + "{" * 7,
    "}" * 50,
    "",
]


@pytest.mark.parametrize("latex", HOSTILE)
def test_what_would_take_long_is_not_begun(latex: str) -> None:
    assert not settable(latex)


def test_the_effort_doubles_with_every_level_and_counts_every_letter() -> None:
    deep = [effort("{" * depth + "x" + "}" * depth) for depth in range(1, 6)]
    assert all(more > 1.5 * less for less, more in pairwise(deep))
    assert effort("x" * 100) == 100
    assert effort("{x") == float("inf")


def test_a_formula_is_set_with_its_line_of_writing(qtbot: QtBot) -> None:
    letter, deep = (set_formula(latex, display=False, ratio=2.0) for latex in ("x", r"\frac{x}{y}"))
    assert letter.mask is not None
    assert deep.mask is not None
    assert deep.ascent > letter.ascent
    assert deep.descent > letter.descent + 2
    assert abs(letter.mask.width() - 2 * letter.width) <= 1


@pytest.mark.parametrize("latex", [r"\frac{a", "x^1^2", r"\begin{matrix}", "&&", r"\end{x}", r"\left"])
def test_what_cannot_be_set_is_none(latex: str, qtbot: QtBot) -> None:
    formula = set_formula(latex, display=False, ratio=1.0)
    assert formula == NOT_SET or formula.mask is not None  # some of them are set as far as they go


@pytest.mark.parametrize(
    "latex",
    [
        r"\includegraphics{/etc/passwd}",
        r"\href{file:///etc/passwd}{x}",
        r"\text{<image href='http://a'/>}",
        r"\input{x}",
    ],
)
def test_nothing_is_loaded_for_a_formula(latex: str, qtbot: QtBot) -> None:
    """QtSvg would read a file named by an image; there is none in what is given to it."""
    set_formula(latex, display=True, ratio=1.0)


def shown(qtbot: QtBot, text: str, mode: str = "light") -> Transcript:
    view = Transcript(themed(mode))
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.begin()
    view.append(text)
    view.end()
    return view


def pictures(view: Transcript) -> list[QImage]:
    """The formulas that are drawn, in the order of the page."""
    found = []
    block = view.document().begin()
    while block.isValid():
        parts = block.begin()
        while not parts.atEnd():
            shape = parts.fragment().charFormat()
            if shape.isImageFormat() and shape.property(SOURCE):
                name = QUrl(shape.toImageFormat().name())
                image = view.document().resource(QTextDocument.ResourceType.ImageResource.value, name)
                if isinstance(image, QImage):
                    found.append(image)
            parts += 1
        block = block.next()
    return found


def test_formulas_are_drawn_in_the_colour_of_the_words_and_copied_as_their_source(qtbot: QtBot) -> None:
    text = "Rate $r$ and **so** on:\n\n$$\n\\frac{1}{r}\n$$\n\n- item $x_1$\n\n| a |\n|---|\n| $y$ |"
    for mode in ("light", "dark"):
        view = shown(qtbot, text, mode)
        qtbot.waitUntil(lambda view=view: len(pictures(view)) == 4, timeout=20_000)
        words = view.script.ink.body.foreground().color()
        image = pictures(view)[1]
        solid = [
            QColor(image.pixel(x, y)).name()
            for x in range(image.width())
            for y in range(image.height())
            if QColor.fromRgba(image.pixel(x, y)).alpha() == 255
        ]
        assert solid
        assert set(solid) == {words.name()}
        view.selectAll()
        copied = view.createMimeDataFromSelection().text()
        assert "Rate $r$ and so on:" in copied
        assert "$$\n\\frac{1}{r}\n$$" in copied
        assert "item $x_1$" in copied
        assert "\ufffc" not in copied
        cursor = QTextCursor(view.document())
        cursor.setPosition(5)
        cursor.setPosition(6, QTextCursor.MoveMode.KeepAnchor)
        assert read(cursor) == "$r$"


def test_words_around_a_formula_keep_their_looks_when_it_comes(qtbot: QtBot) -> None:
    view = shown(qtbot, "A $x$ **bold** `code`\n\n```python\nx = 1\n```\n")
    qtbot.waitUntil(lambda: len(pictures(view)) == 1, timeout=20_000)
    html = view.document().toHtml()
    assert "font-weight:600" in html
    assert view.text().splitlines()[-1] == "x = 1"
    last = view.document().lastBlock().previous()
    assert last.begin().fragment().charFormat().font().family() == view.script.ink.code.font().family()


def test_what_cannot_be_set_stands_as_it_was_written(qtbot: QtBot) -> None:
    view = shown(qtbot, "Broken $x^1^2$ and $" + "{" * 9 + "x" + "}" * 9 + "$.")
    qtbot.waitUntil(lambda: "$x^1^2$" in view.text(), timeout=20_000)
    assert "{{{{{{{{{x}}}}}}}}}" in view.text()


def test_a_growing_formula_stays_source_until_it_is_whole(qtbot: QtBot) -> None:
    view = Transcript(themed())
    qtbot.addWidget(view)
    view.begin()
    view.append("Now\n\n$$\n\\frac{1}")
    assert "\\frac{1}" in view.text()
    view.append("{2}\n$$\n\nThen")
    view.end()
    qtbot.waitUntil(lambda: len(pictures(view)) == 1, timeout=20_000)


def test_thousands_of_marks_are_read_in_steps_that_do_not_multiply() -> None:
    """Every opening mark looks at most one formula's length ahead, and no further than the next mark of its kind."""
    for text in ("$a " * 4_000, "\\(" * 6_000, "[^a" * 4_000):
        assert all(formula_at(text, at) is None for at in range(0, len(text), 97))


# Footnotes


def test_footnotes_are_numbered_as_they_come_and_stand_small_below(qtbot: QtBot) -> None:
    view = shown(qtbot, "One[^a] two[^7] one again[^a].\n\n[^a]: First *note*\n[^7]: Second\n")
    assert view.text() == "One1 two7 one again1.\n1\tFirst note\n7\tSecond"


def test_what_only_looks_like_a_footnote_is_not_one() -> None:
    assert notes_in("text [^a]: b") == []
    assert notes_in("[link]: https://example.org") == []
    assert notes_in("[^a]: b\nmore\n[^c]: d") == [("a", "b\nmore"), ("c", "d")]


def test_a_label_keeps_its_number_and_none_is_given_twice() -> None:
    known: dict[str, object] = {}
    assert [note_number(known, label) for label in ("2", "a", "1", "b", "2", "9999999")] == [2, 1, 3, 4, 2, 5]


def test_a_task_is_a_box_instead_of_a_bullet(qtbot: QtBot) -> None:
    view = shown(qtbot, "- [x] done\n- [ ] open\n- plain\n")
    assert view.text() == "☑\tdone\n☐\topen\n•\tplain"


def test_code_behind_a_formula_that_could_not_be_set_keeps_its_ground(qtbot: QtBot) -> None:
    view = shown(qtbot, "A $x^1^2$ and `code`.\n\n")
    pen, block = view.script.pen, view.document().firstBlock()
    assert [block.text()[start : start + length] for start, length in pen.pills_of(block)] == ["code"]
    qtbot.waitUntil(lambda: "$x^1^2$" in view.text(), timeout=20_000)
    assert [block.text()[start : start + length] for start, length in pen.pills_of(block)] == ["code"]


def test_code_whose_lines_had_to_be_broken_can_be_seen_unbroken(qtbot: QtBot) -> None:
    code = "x = 1  # " + "long " * 60 + "\ny = 2"
    view = shown(qtbot, f"```python\n{code}\n```\n\n```\nshort\n```\n")
    acts = [(hot.number, hot.act) for hot in view.hot()]
    [(number, _)] = [one for one in acts if one[1] == "unwrap"]
    assert len([act for _, act in acts if act == "copy"]) == 2
    view.unwrap(number)
    [sheet] = view.window().findChildren(CodeSheet)
    assert sheet.code.toPlainText() == code
    assert sheet.code.lineWrapMode() == QPlainTextEdit.LineWrapMode.NoWrap
    sheet.wrap.setChecked(True)
    assert sheet.code.lineWrapMode() == QPlainTextEdit.LineWrapMode.WidgetWidth
    sheet.copy.click()
    assert QGuiApplication.clipboard().text() == code
