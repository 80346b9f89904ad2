"""The receipt: every attempt in its words, what was not needed, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.engine.types import Attempt, CacheUse, Cost, Usage
from vibedesk.store.history import StoredAnswer
from vibedesk.store.paths import resources
from vibedesk.ui.figures import explained
from vibedesk.ui.receipt import Receipt, Unasked
from vibedesk.ui.receipt_words import facts_of, outcome_of, verdict
from vibedesk.ui.theme import Theme


def attempt(**facts: Any) -> Attempt:
    usual: dict[str, Any] = {
        "deployment": "groq/openai/gpt-oss-120b", "via": "direct", "why_via": "no gateway is set up",
        "key": "fast …4d1a", "key_id": "k", "rule": "first choice", "status": 200, "outcome": "complete",
        "kind": None, "message": "", "started_s": 0.0, "connected_s": 0.05, "first_token_s": 0.19, "ended_s": 0.26,
        "request_id": "req_1", "finish_reason": "stop", "usage": None, "cost": None,
    }  # fmt: skip
    return Attempt(**(usual | facts))


def answer(*attempts: Attempt, **facts: Any) -> StoredAnswer:
    usual = {"id": "a", "turn_id": "t", "lane_id": "l", "outcome": "complete", "attempts": attempts}
    return StoredAnswer(created=datetime.now(UTC), **(usual | facts))


LIMITED = attempt(
    status=429, outcome="failed", kind="rate_limited", message="slow down", first_token_s=None, ended_s=0.09
)
SECOND = attempt(
    deployment="together/openai/gpt-oss-120b", rule="next after rate_limited", started_s=0.09,
    usage=Usage(input_tokens=20, output_tokens=131, cached_tokens=8, reasoning_tokens=30),
    cost=Cost(usd=Decimal("0.0002"), source="genai-prices, 29 Oct 2026"),
)  # fmt: skip


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot) -> QWidget:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    window.theme = theme  # type: ignore[attr-defined]
    return window


def words_in(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.text() and not label.isHidden()]


def test_every_attempt_has_its_line_and_what_was_not_needed_too(window: QWidget) -> None:
    whole = answer(LIMITED, SECOND, usage=SECOND.usage, cost=SECOND.cost)
    receipt = Receipt(window, window.theme, whole, not_needed=(Unasked("openai/gpt-6-luna"),))  # type: ignore[attr-defined]
    receipt.open()
    words = words_in(receipt)
    for expected in (
        "answered by the second choice", "429 · rate limited", "complete · stop", "not needed", "openai/gpt-6-luna",
        "0.09 s", "0.19 s", "131", "$0.0002", "first choice → next after rate limited",
        "direct: no gateway is set up", "genai-prices, 29 Oct 2026",
    ):  # fmt: skip
        assert expected in words
    assert words.count("—") >= 3
    receipt.accept()


def test_the_curl_command_is_copied_by_its_button(window: QWidget) -> None:
    receipt = Receipt(window, window.theme, answer(SECOND), curl="curl -N x")  # type: ignore[attr-defined]
    receipt.open()
    receipt.copy.click()
    assert QGuiApplication.clipboard().text() == "curl -N x"
    assert receipt.copy.text() == "Copied"
    receipt.accept()


def test_where_nothing_was_sent_it_says_so(window: QWidget) -> None:
    receipt = Receipt(window, window.theme, answer(outcome="failed"))  # type: ignore[attr-defined]
    receipt.open()
    assert "Nothing was sent." in words_in(receipt)
    assert receipt.copy.isHidden()
    receipt.accept()


def test_foreign_words_are_shown_letter_for_letter_on_one_line() -> None:
    said = attempt(outcome="failed", kind="bad_request", status=400, message="<b>no</b>\n\x1b[2Jmore")
    assert ("Said", "<b>no</b> ␛[2Jmore") in facts_of(answer(said, outcome="failed"))


@pytest.mark.parametrize(
    ("one", "words", "role"),
    [
        (attempt(), "complete · stop", "ok"),
        (attempt(finish_reason="length"), "complete · length", "warn"),
        (LIMITED, "429 · rate limited", "warn"),
        (attempt(outcome="failed", kind="invalid_key", status=401), "401 · invalid key", "bad"),
        (attempt(outcome="cut", kind="cut"), "cut", "warn"),
        (attempt(outcome="stopped"), "stopped", "neutral"),
        (attempt(outcome="failed", kind="dns_failed", status=None), "dns failed", "bad"),
    ],
)
def test_an_outcome_in_words(one: Attempt, words: str, role: str) -> None:
    assert outcome_of(one) == (words, role)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (answer(SECOND), "answered"),
        (answer(LIMITED, SECOND), "answered by the second choice"),
        (answer(SECOND, outcome="stopped"), "stopped"),
        (answer(LIMITED, outcome="failed"), "failed"),
        (answer(outcome=None), "still answering"),
    ],
)
def test_the_whole_in_one_chip(whole: StoredAnswer, words: str) -> None:
    assert verdict(whole)[0] == words


def test_the_figures_explain_themselves() -> None:
    whole = answer(SECOND, usage=SECOND.usage, cost=SECOND.cost, took_s=0.26, reasoning_s=1.4)
    assert explained(whole).split("\n") == [
        "20 tokens in, 8 of them cached",
        "131 tokens out, 30 of them reasoning",
        "Thought for 1.4 s",
        "Took 260 ms in all",
        "$0.0002 by genai-prices, 29 Oct 2026",
    ]
    assert "did not say" in explained(answer())


HIT = CacheUse(
    verdict="hit",
    kept_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    saved=Cost(usd=Decimal("0.0042"), source="list"),
    saved_s=2.1,
)


def test_an_answer_from_the_cache_says_so_and_what_it_saved(window: QWidget) -> None:
    free = Cost(usd=Decimal(0), source="answer cache")
    kept = answer(
        deployment="groq/openai/gpt-oss-120b", cache=HIT, usage=SECOND.usage, cost=free, ttft_s=0.001, took_s=0.002
    )  # fmt: skip
    receipt = Receipt(
        window,
        window.theme,  # type: ignore[attr-defined]
        kept,
        not_needed=(Unasked("groq/openai/gpt-oss-120b", "direct", "fast …4d1a"),),
    )
    receipt.open()
    words = words_in(receipt)
    for expected in ("given from the cache", "cached", "cache", "$0", "not needed", "fast …4d1a", "131"):
        assert expected in words
    said = dict(facts_of(kept))
    assert said["Cache"].startswith("given again, kept 22 Nov")
    assert said["Cache"].endswith("; saved $0.0042 and 2.1 s")
    assert "Price" not in said
    receipt.accept()


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (answer(SECOND), "not asked: this route does not cache"),
        (answer(SECOND, cache=CacheUse(verdict="kept")), "not there yet; kept for the next time"),
        (
            answer(SECOND, cache=CacheUse(verdict="not_kept", why="the answer was cut")),
            "not kept: the answer was cut",
        ),
        (
            answer(attempt(notes=("gateway cache MISS",)), cache=CacheUse(verdict="kept")),
            "not there yet; kept for the next time · the gateway did not have it",
        ),
        (
            answer(attempt(notes=("gateway cache HIT",))),
            "not asked: this route does not cache · the gateway had it",
        ),
        (answer(attempt(notes=("gateway cache BYPASS",)), cache=HIT), None),
    ],
)
def test_the_cache_verdict_is_ours_and_the_gateways_beside_it(whole: StoredAnswer, words: str | None) -> None:
    said = dict(facts_of(whole))["Cache"]
    assert said == words if words else said.endswith(" · gateway: bypass")


def test_a_gateway_that_fell_back_by_itself_is_found_out() -> None:
    moved = answer(
        attempt(via="gateway", notes=("gateway step 1", "gateway model gpt-6-luna", "gateway log L1"))
    )
    assert verdict(moved) == ("the gateway fell back by itself", "warn")
    assert dict(facts_of(moved))["Gateway"] == (
        "fell back by itself, to its choice 2 · asked gpt-6-luna · log L1"
    )
    plain = answer(attempt(via="gateway", notes=("gateway step 0", "gateway log L1")))
    assert verdict(plain)[0] == "answered"
    assert dict(facts_of(plain))["Gateway"] == "log L1"


def test_explain_now_leaves_the_receipt_and_explains(window: QWidget) -> None:
    asked: list[str] = []
    receipt = Receipt(
        window,
        window.theme,  # type: ignore[attr-defined]
        answer(SECOND),
        explain=lambda: asked.append("now"),
    )
    receipt.open()
    receipt.explain.click()
    assert (asked, receipt.isVisible()) == (["now"], False)


def stands_whole_in(widget: QWidget, window: QWidget) -> bool:
    """Nothing of it lies outside of what any of its parents shows."""
    part = widget.visibleRegion().boundingRect()
    return part == widget.rect() and window.rect().contains(widget.mapTo(window, QPoint(0, 0)))


@pytest.mark.parametrize("width", [360, 640, 900, 1280])
def test_in_any_window_its_buttons_stand_whole_and_the_last_column_can_be_scrolled_to(
    window: QWidget, width: int
) -> None:
    window.resize(width, 700)
    receipt = Receipt(window, window.theme, answer(LIMITED, SECOND), curl="curl", explain=lambda: None)  # type: ignore[attr-defined]
    receipt.open()
    QApplication.processEvents()
    buttons = [one for one in receipt.findChildren(QPushButton) if one.isVisible()]
    assert len(buttons) == 3
    assert all(stands_whole_in(one, window) for one in buttons)
    [cost] = [label for label in receipt.table.findChildren(QLabel) if label.text() == "Cost"]
    receipt.attempts.setFocus()
    for _ in range(20):
        QTest.keyClick(receipt.attempts, Qt.Key.Key_Right)
    assert stands_whole_in(cost, window)
    assert receipt.table.height() >= receipt.table.sizeHint().height()
    receipt.accept()


def test_it_is_as_wide_as_its_longest_line_where_the_window_is(window: QWidget) -> None:
    window.resize(2000, 700)
    long = attempt(deployment="openrouter/" + "m" * 40, key="k" * 32)
    receipt = Receipt(window, window.theme, answer(long))  # type: ignore[attr-defined]
    receipt.open()
    QApplication.processEvents()
    assert receipt.attempts.horizontalScrollBar().maximum() == 0
    assert receipt.attempts.focusPolicy() == Qt.FocusPolicy.NoFocus
    receipt.accept()
