"""The lane's head and figures, without a network."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.engine.types import Cost, Usage
from vibedesk.store.history import StoredAnswer
from vibedesk.store.paths import resources
from vibedesk.ui.figures import TIGHT, Figures
from vibedesk.ui.lane_head import LaneHead, ModelName
from vibedesk.ui.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


def answer(**facts: object) -> StoredAnswer:
    usual: dict[str, object] = {
        "id": "a", "turn_id": "t", "lane_id": "l", "outcome": "complete", "ttft_s": 0.41, "tokens_per_s": 71.2,
        "usage": Usage(input_tokens=20, output_tokens=184), "cost": Cost(usd=Decimal("0.0031"), source="bundle"),
    }  # fmt: skip
    return StoredAnswer(created=datetime.now(UTC), **(usual | facts))  # type: ignore[arg-type]


def texts(figures: Figures) -> list[str]:
    return [one.text() for one in (figures.tokens, figures.speed, figures.first, figures.cost)]


def test_the_figures_of_an_answer(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.show_answer(answer(), set())
    assert texts(figures) == ["184 tok", "71.2 tok/s", "first 410 ms", "$0.0031"]


def test_what_is_unknown_is_a_dash_and_never_zero(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.show_answer(answer(usage=None, cost=None, tokens_per_s=None), set())
    assert texts(figures) == ["— tok", "—", "first 410 ms", "—"]


def test_an_estimated_cost_says_so(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.show_answer(answer(cost=Cost(usd=Decimal("0.004"), source="", estimated=True)), set())
    assert figures.cost.text() == "≈$0.004"


def test_the_best_is_marked_by_a_word(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.resize(800, 34)
    figures.show_answer(answer(), {"fastest", "cheapest"})
    assert texts(figures) == ["184 tok", "71.2 tok/s fastest", "first 410 ms", "$0.0031 cheapest"]
    assert figures.speed.property("best") is True
    assert not figures.first.property("best")


def test_numbers_keep_their_place_while_they_change(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.show()
    places = []
    for tokens in (1_000, 1_111, 1_999, 2_345):
        figures.show_running(tokens, 71.2, 0.41)
        QApplication.processEvents()
        places.append(figures.first.x())
    assert len(set(places)) == 1


def test_a_narrow_lane_gives_the_praise_its_room(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.resize(360, 34)
    figures.show_answer(answer(), {"fastest", "cheapest", "first"})
    assert figures.tokens.isHidden()


def test_figures_that_just_fit_do_not_stand_on_one_another(qtbot: QtBot, theme: Theme) -> None:
    lane, figures = QWidget(), Figures()
    qtbot.addWidget(lane)
    figures.setParent(lane)  # a window would not be made as narrow
    figures.resize(600, 34)
    lane.show()
    for tokens_per_s in (12_888.8, 71.1):
        figures.show_running(9_000, tokens_per_s, 0.095)
    room = figures.speed.sizeHint().width() + figures.first.sizeHint().width() + TIGHT
    figures.resize(28 + room, 34)
    QApplication.processEvents()
    assert not figures.tokens.isVisible()
    assert figures.speed.geometry().right() + TIGHT <= figures.first.geometry().left()
    assert figures.first.geometry().right() < figures.width() - 14


def test_a_tip_shows_foreign_words_letter_for_letter(qtbot: QtBot, theme: Theme) -> None:
    figures = Figures()
    qtbot.addWidget(figures)
    figures.show_answer(answer(cost=Cost(usd=Decimal("1"), source="<img src=x>")), set())
    assert "&lt;img" in figures.toolTip()


def test_a_model_without_a_name_invites_to_choose(qtbot: QtBot, theme: Theme) -> None:
    name = ModelName(theme)
    qtbot.addWidget(name)
    name.show_model("", "")
    assert name.text() == "Choose a model"


def test_a_click_on_a_chip_asks_for_the_receipt(qtbot: QtBot, theme: Theme) -> None:
    from PySide6.QtCore import Qt

    head = LaneHead(theme)
    qtbot.addWidget(head)
    head.resize(400, 66)
    head.show()
    head.chips["via"].set("direct", "accent")
    QApplication.processEvents()
    with qtbot.waitSignal(head.chip_clicked):
        qtbot.mouseClick(head, Qt.MouseButton.LeftButton, pos=head.chips["via"].geometry().center())


def test_a_shortened_name_uses_the_room_that_a_whole_one_leaves_for_its_caret(
    qtbot: QtBot, theme: Theme
) -> None:
    name = ModelName(theme)
    qtbot.addWidget(name)
    name.show_model("claude-sonnet-5-5", "Anthropic")
    name.resize(74, 24)
    letter = QFontMetricsF(name._bold()).horizontalAdvance("m")
    shown = QFontMetricsF(name._bold()).horizontalAdvance(name.shown())
    assert name.width() - 4 >= shown > name.width() - 6 - letter
    name.resize(400, 24)
    assert name.shown() == "claude-sonnet-5-5"
