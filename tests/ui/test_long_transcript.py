"""A conversation longer than the view: only what is near is drawn, and nobody can tell."""

from __future__ import annotations

from random import Random
from time import monotonic

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from tests.ui.looking import themed
from vibedesk.store.paths import resources
from vibedesk.ui.highlight import known
from vibedesk.ui.highlight import lines_of as lines_of_code
from vibedesk.ui.ink import KIND, PILL
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

ROUND = (
    "## Part {n}\n\nA **paragraph** number {n} with `code` and [a link](https://example.org/{n}).\n\n"
    "```python\ndef f{n}(x):\n    return x + {n}\n```\n\n1. one {n}\n2. two {n}\n\n"
    "| a | b |\n|---|--:|\n| {n} | `2` |\n\n> quoted {n}\n\n"
)


@pytest.fixture(scope="module")
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


def shown(theme: Theme, qtbot: QtBot, width: int = 420) -> Transcript:
    view = Transcript(theme)
    qtbot.addWidget(view)
    view.resize(width, 500)
    view.show()
    return view


def rounds(first: int, last: int) -> str:
    return "".join(ROUND.format(n=number) for number in range(first, last))


def restored(theme: Theme, qtbot: QtBot, turns: int) -> Transcript:
    view = shown(theme, qtbot)
    with view.resting():
        for turn in range(turns):
            view.say(f"Question {turn}")
            view.begin()
            view.append(rounds(turn, turn + 2))
            view.end()
    QApplication.processEvents()
    return view


def overgrown(theme: Theme, qtbot: QtBot) -> tuple[Transcript, int]:
    """A view with more above its growing end than it keeps, of which nothing was cut off yet; after so many rounds."""
    view, number = shown(theme, qtbot), 0
    view.begin()
    while view.script.overgrown < 1.6:
        view.append(rounds(number, number + 1))
        number += 1
    view._trimmer.stop()
    return view, number


def whole(turns: int) -> list[str]:
    """What a document that holds everything says: the same turns, in a view without a height."""
    theme = Theme(resources())
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, "light")
    view = Transcript(theme)
    for turn in range(turns):
        view.say(f"Question {turn}")
        view.begin()
        view.append(rounds(turn, turn + 2))
        view.end()
    lines = lines_of(view)
    view.deleteLater()
    return lines


def lines_of(view: Transcript) -> list[str]:
    return [line for line in view.document().toPlainText().split("\n") if line]


def blocks(view: Transcript) -> list[QTextBlock]:
    found, block = [], view.document().begin()
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def first_seen(view: Transcript) -> str:
    """The first line of words in the view."""
    value = view.verticalScrollBar().value()
    layout = view.document().documentLayout()
    for block in blocks(view):
        if block.text() and layout.blockBoundingRect(block).bottom() > value:
            return block.text()
    return ""


def test_only_what_is_near_is_drawn_and_the_text_is_the_whole(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 60)
    assert view.document().characterCount() < 20_000
    assert not view.script.whole
    assert [line for line in view.text().split("\n") if line] == whole(60)


def test_what_was_kept_is_drawn_in_part_even_before_the_view_has_a_size(theme: Theme, qtbot: QtBot) -> None:
    view = Transcript(theme)
    qtbot.addWidget(view)
    with view.resting():
        for turn in range(60):
            view.say(f"Question {turn}")
            view.begin()
            view.append(rounds(turn, turn + 2))
            view.end()
    assert view.document().characterCount() < 20_000
    assert lines_of(view)[-1] == "quoted 60"


def test_wherever_one_scrolls_the_words_are_those_of_the_whole(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 60)
    lines = whole(60)
    bar = view.verticalScrollBar()
    for share in (0.0, 0.9, 0.31, 0.3, 0.62, 1.0, 0.5, 0.05, 0.0):
        bar.setValue(round(bar.maximum() * share))
        QApplication.processEvents()
        drawn = lines_of(view)
        at = next(n for n in range(len(lines)) if lines[n : n + len(drawn)] == drawn)
        assert lines[at : at + len(drawn)] == drawn
        top, bottom = bar.value(), bar.value() + view.viewport().height()
        assert view.script.above <= top
        assert bottom <= bar.maximum() + view.viewport().height() - view.script.below


def test_scrolling_up_line_by_line_meets_every_line_once_and_never_jumps(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 25)
    bar = view.verticalScrollBar()
    met: list[str] = [first_seen(view)]
    for _ in range(5_000):
        if bar.value() == 0:
            break
        bar.setValue(bar.value() - 12)
        line = first_seen(view)
        if line != met[-1]:
            met.append(line)
    assert bar.value() == 0
    lines = whole(25)
    seen = [line for line in reversed(met) if line]
    at = lines.index(seen[0])
    assert at == 0
    # tables end in blocks without words, and a line may be lower than a step: all others are met in their order
    place = 0
    for line in seen:
        place = lines.index(line, place)
        assert place - at <= 6, f"{line!r} comes after a gap"
        at = place


def test_a_long_stream_keeps_the_page_short_and_says_the_same(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    other = Transcript(theme)  # never shown, so it has no height and draws everything
    text = rounds(0, 120)
    for one in (view, other):
        one.begin()
        for at in range(0, len(text), 97):
            one.append(text[at : at + 97])
    assert len(blocks(view)) < len(blocks(other)) / 4
    assert view.at_end()
    assert lines_of(view) == lines_of(other)[-len(lines_of(view)) :]
    view.end()
    other.end()
    assert view.text() == other.text()
    other.deleteLater()


def test_a_hidden_view_draws_nothing_and_catches_up(theme: Theme, qtbot: QtBot) -> None:
    area = QScrollArea()
    qtbot.addWidget(area)
    view = Transcript(theme)
    view.resize(400, 500)
    strip = QLabel()
    strip.resize(2_000, 500)
    view.setParent(strip)
    view.move(1_500, 0)
    area.setWidget(strip)
    area.resize(600, 520)
    area.show()
    qtbot.waitExposed(area)
    view.begin()
    view.append("before\n\n")
    drawn = view.document().characterCount()
    view.append(rounds(0, 30))
    assert view.document().characterCount() <= drawn
    area.horizontalScrollBar().setValue(area.horizontalScrollBar().maximum())
    qtbot.waitUntil(lambda: "quoted 29" in view.document().toPlainText())
    view.append("the end")
    view.end()
    assert view.document().toPlainText().rstrip("\n").endswith("the end")
    assert "before" in view.text()


def test_who_reads_further_up_is_left_alone_and_finds_the_end(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    view.append(rounds(0, 10))
    QApplication.processEvents()
    view.verticalScrollBar().setValue(300)
    line = first_seen(view)
    for number in range(10, 60):
        view.append(rounds(number, number + 1))
    assert first_seen(view) == line
    assert view.verticalScrollBar().value() == 300
    size = view.document().characterCount()
    view.append(rounds(60, 90))
    assert view.document().characterCount() == size
    view.to_end()
    view.end()
    assert "quoted 89" in view.document().toPlainText()
    assert view.at_end()


def test_a_fold_that_was_left_is_still_open_when_one_comes_back(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    view.think("because of this")
    view.thought("Thought")
    view.anchorClicked.emit(QUrl(next(iter(view.script._folds))))
    view.append(rounds(0, 80))
    view.end()
    view.say("More")
    view.begin()
    view.append(rounds(80, 160))
    QApplication.processEvents()
    assert "because of this" not in view.document().toPlainText()
    view.verticalScrollBar().setValue(0)
    assert view.document().toPlainText().lstrip("\n").startswith("▾ Thought\nbecause of this\nPart 0")


def test_a_card_is_there_when_its_answer_is_and_hidden_when_not(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 1)
    card = QLabel("card")
    view.put_card(0, card)
    with view.resting():
        for turn in range(40):
            view.say(f"Question {turn}")
            view.begin()
            view.append(rounds(turn, turn + 2))
            view.end()
    assert card.isHidden()
    view.verticalScrollBar().setValue(0)
    assert not card.isHidden()


def test_another_theme_and_another_width_keep_the_place(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 40)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    QApplication.processEvents()
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = first_seen(view)
    theme.apply(app, "dark")
    assert first_seen(view) == before
    theme.apply(app, "light")
    view.resize(600, 500)
    assert view.text() != ""


def test_copying_all_copies_the_whole(theme: Theme, qtbot: QtBot) -> None:
    view = restored(theme, qtbot, 40)
    view.selectAll()
    assert view.createMimeDataFromSelection().text() == view.text()


def test_code_coloured_bit_by_bit_ends_in_the_colours_of_code_coloured_at_once(
    theme: Theme, qtbot: QtBot
) -> None:
    code = "".join(f"def f{n}(x):  # count\n    return 'x' + {n}\n\n" for n in range(80))
    view = shown(theme, qtbot)
    view.begin()
    view.append(f"```python\n{code}```\n")
    view.end()
    assert view.script.pen.busy
    while view.script.pen.busy:
        view.script.pen.work(0)
        view.script.pen.work(0.0001)
    lines = [block for block in blocks(view) if block.text()]
    for block, spans in zip(lines, filter(None, lines_of_code(code, "python")), strict=True):
        for span in spans:
            part = next(p for p in block.textFormats() if p.start <= span.start < p.start + p.length)
            assert part.format.foreground().color() == theme.colour(span.token)


@pytest.mark.parametrize("seed", range(4))
def test_code_has_its_colours_while_it_still_grows(theme: Theme, qtbot: QtBot, seed: int) -> None:
    code = "".join(f'def f{n}(x):\n    """What\n    it is."""\n    return "x" + {n}\n\n' for n in range(80))
    view, dice = shown(theme, qtbot), Random(seed)
    qtbot.waitUntil(lambda: known("python"))
    view.begin()
    view.append("```python\n")
    start = 0
    while start < len(code):
        piece = code[start : start + dice.randint(1, 120)]
        start += len(piece)
        view.append(piece)
        if view.script.pen.busy and dice.random() < 0.7:
            view.script.pen.work(dice.choice((0.0001, 1)))
    view.script.pen.work(10)
    lines = code_lines(view)
    last = max(number for number, line in enumerate(lines) if len(line.textFormats()) > 1)
    assert len(lines) - last < len(lines) / 8 + 5
    view.append("```\n")
    view.end()
    view.script.pen.work(10)
    once = shown(theme, qtbot)
    once.begin()
    once.append(f"```python\n{code}```\n")
    once.end()
    once.script.pen.work(10)
    assert [shapes(line) for line in code_lines(view)] == [shapes(line) for line in code_lines(once)]


def code_lines(view: Transcript) -> list[QTextBlock]:
    return [block for block in blocks(view) if block.blockFormat().stringProperty(KIND) == "code"]


def shapes(block: QTextBlock) -> list[tuple[int, int, str]]:
    return [(one.start, one.length, one.format.foreground().color().name()) for one in block.textFormats()]


def test_colours_that_wait_do_not_fall_on_other_words(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    view.append("```python\n" + "def f(x): return 'x'\n" * 100 + "```\n" + rounds(0, 80))
    view.end()
    others = [block for block in blocks(view) if block.blockFormat().stringProperty(KIND) != "code"]
    before = [(block.text(), len(block.textFormats())) for block in others]
    view.script.pen.work(10)
    assert not view.script.pen.busy
    assert view.script.above, "the code is gone from the page"
    assert [(block.text(), len(block.textFormats())) for block in others] == before


def test_much_at_once_is_drawn_from_its_end_and_nothing_is_lost(qtbot: QtBot) -> None:
    view = Transcript(themed())
    qtbot.addWidget(view)
    view.resize(420, 500)
    view.show()
    view.say("Go")
    view.begin()
    paragraphs = [f"Paragraph {number} with **words** in it.\n\n" for number in range(400)]
    view.append(paragraphs[0])
    view.append("".join(paragraphs[1:-1]))
    assert not view.script.whole
    assert "Paragraph 398" in view.document().toPlainText()
    assert view.at_end()
    view.append(paragraphs[-1])
    view.end()
    lines = [line for line in view.text().split("\n") if line.startswith("Paragraph")]
    assert lines == [f"Paragraph {number} with words in it." for number in range(400)]


def test_in_haste_the_growing_block_and_colours_wait_and_come(theme: Theme, qtbot: QtBot) -> None:
    view, slow = shown(theme, qtbot), Transcript(theme)
    qtbot.addWidget(slow)
    pieces = [rounds(number, number + 2) for number in range(0, 8, 2)]
    pieces[-1] += "And a **last** paragraph"
    for one in (view, slow):
        one.begin()
    for piece in pieces:
        view.append(piece)
    slow.append("".join(pieces))
    assert view.script.pen.busy
    assert "And a last" not in view.document().toPlainText()
    qtbot.waitUntil(lambda: "And a last paragraph" in view.document().toPlainText())
    qtbot.waitUntil(lambda: not view.script.pen.busy)
    assert view.document().toPlainText().strip() == slow.document().toPlainText().strip()
    code = next(block for block in blocks(view) if block.text().startswith("def f0"))
    colours = {part.format.foreground().color().name() for part in code.textFormats()}
    assert theme.colour("keyword").name() in colours


def test_what_haste_left_out_is_copied_too(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    for _ in range(3):
        view.append("A paragraph. " * 20 + "\n\n" + "And the block that grows")
    assert view.text().endswith("And the block that grows")


def test_cutting_off_the_top_moves_nothing_and_paints_nothing(theme: Theme, qtbot: QtBot) -> None:
    view, _ = overgrown(theme, qtbot)
    view.script.calm_down()
    while view.script.pen.busy:
        view.script.pen.work(1)
    assert view.script.above == 0
    before, range_before = view.viewport().grab().toImage(), view.verticalScrollBar().maximum()
    view._trim()
    assert view.script.above > 0
    assert view.verticalScrollBar().maximum() == range_before
    assert view.viewport().grab().toImage() == before


def test_a_fence_that_was_opened_goes_on_after_the_top_was_cut_off(theme: Theme, qtbot: QtBot) -> None:
    view, number = overgrown(theme, qtbot)
    view.append("```python\n")
    view._trim()
    assert view.script.above > 0
    view.append("x = 1\n```\n")
    view.end()
    assert view.script.pen.listings[max(view.script.pen.listings)].text == "x = 1"
    assert len(view.script.pen.listings) < number  # those above are forgotten


def test_nothing_is_painted_behind_the_blank_space_above(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    trimmed = 0
    for _ in range(400):
        view.append("A paragraph that ends in `code`\n\n")
        before = view.script.above
        view._trim()
        trimmed += view.script.above > before
        assert view.script.pen.pills_of(view.document().firstBlock()) == [] or not view.script.above
    assert trimmed


def test_places_of_code_that_was_cut_off_are_forgotten_and_the_others_kept(
    theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibedesk.ui.pen.MANY_PILLS", 20)
    view = shown(theme, qtbot)
    view.begin()
    for number in range(80):
        view.append(rounds(number, number + 1))
        view._trim()
    assert view.script.above > 0
    assert len(view.script.pen._pills) < 60
    for block in blocks(view):
        words = [block.text()[start : start + length] for start, length in view.script.pen.pills_of(block)]
        kept = [
            block.text()[part.start : part.start + part.length]
            for part in block.textFormats()
            if part.format.boolProperty(PILL)
        ]
        assert words == kept


def test_a_view_that_is_behind_is_painted_with_what_follows(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot)
    view.begin()
    view.append("One. ")
    qtbot.waitUntil(lambda: view._painted_at > 0)
    view._painted_at = monotonic() + 1_000  # just now, however slow this machine is
    QApplication.processEvents()
    before = view._painted_at
    view.append("Two. ", more=True)
    QApplication.processEvents()
    assert view._painted_at == before
    view.append("Three.")
    qtbot.waitUntil(lambda: view._painted_at != before)
    assert view.text() == "One. Two. Three."
