"""The head of a lane: its letter, the model and its provider, and in chips how the answer came about."""

from __future__ import annotations

from time import monotonic

import msgspec
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from vibedesk.amounts import money
from vibedesk.engine.types import Deployment
from vibedesk.state.estimate import differing
from vibedesk.state.lane import Lane
from vibedesk.store.history import StoredAnswer
from vibedesk.ui import harmless
from vibedesk.ui.parameter_names import told
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Button, Chip, Label, bare, paint_caret, plain_tip
from vibedesk.wording import when, words_for

LETTERS = "ABCDEFGH"
_CHIPS = (
    "simulation",
    "waiting",
    "fallback",
    "cached",
    "via",
    "key",
    "unlinked",
    "route",
    "effort",
    "modified",
)
_LEAST_NEEDED = ("modified", "effort", "route", "via", "key")
"""What gives way in a narrow lane, first to last; the receipt has it all."""


class ModelName(QAbstractButton):
    """The model in bold, its provider beside it; shortened where there is no room. Opens the picker."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._provider = ""
        self.setFixedHeight(24)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)

    def show_model(self, model: str, provider: str) -> None:
        self._provider = provider
        self.setText(model or self.tr("Choose a model"))
        self.setAccessibleName(f"{self.text()}, {provider}" if provider else self.text())
        self.setToolTip(plain_tip(f"{self.text()} · {provider}" if provider else self.text()))
        self.setProperty("chosen", bool(model))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        wide = QFontMetricsF(self._bold()).horizontalAdvance(self.text())
        wide += QFontMetricsF(body_font()).horizontalAdvance(self._provider) + 8 + 18
        return QSize(round(wide) + 6, 24)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 24)

    def _bold(self) -> QFont:
        font = body_font()
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        end = self._draw_model(painter)
        end = self._draw_provider(painter, end)
        painter.end()
        whole = end + 16 <= self.width()
        if (self.underMouse() and whole) or not self.property("chosen"):
            paint_caret(self, min(end + 10, self.width() - 6))

    def shown(self) -> str:
        """As much of the model's name as there is room for; one that is shortened needs that of the caret too."""
        metrics, room = QFontMetricsF(self._bold()), self.width() - 22
        if self.property("chosen") and metrics.horizontalAdvance(self.text()) > room:
            room = self.width() - 6
        return metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room)

    def _draw_model(self, painter: QPainter) -> float:
        metrics = QFontMetricsF(self._bold())
        text = self.shown()
        painter.setFont(self._bold())
        painter.setPen(self._theme.colour("text" if self.property("chosen") else "accent"))
        painter.drawText(QRectF(4, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return 4 + metrics.horizontalAdvance(text)

    def _draw_provider(self, painter: QPainter, start: float) -> float:
        metrics = QFontMetricsF(body_font())
        room = self.width() - start - 8 - 18
        if room < 24 or not self._provider:
            return start
        text = metrics.elidedText(self._provider, Qt.TextElideMode.ElideRight, room)
        painter.setFont(body_font())
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(QRectF(start + 8, 0, room + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return start + 8 + metrics.horizontalAdvance(text)


class LaneHead(QFrame):
    """`model_clicked`, `menu_clicked`, `chip_clicked` (the receipt)."""

    chip_clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("laneHead")
        self.setFixedHeight(66)
        self.letter = Label()
        self.letter.setObjectName("letter")
        self.letter.setFixedSize(20, 20)
        self.letter.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name = ModelName(theme)
        self.menu = Button("", "quiet", theme.icon("dots-three", size=18)).named(self.tr("Lane menu"))
        self.chips = {word: Chip("") for word in _CHIPS}
        self._lay_out()

    def _lay_out(self) -> None:
        column = bare(QVBoxLayout(self))
        column.setContentsMargins(14, 8, 8, 9)
        top, below = bare(QHBoxLayout(), 4), bare(QHBoxLayout(), 6)
        top.addWidget(self.letter)
        top.addWidget(self.name, 1)
        top.addWidget(self.menu)
        for chip in self.chips.values():
            below.addWidget(chip)
        below.addStretch(1)
        column.addLayout(top)
        column.addStretch(1)
        column.addLayout(below)

    def set_several(self, several: bool) -> None:
        """One lane is plain chat: it needs no letter."""
        self.letter.setVisible(several)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        hit = self.childAt(event.position().toPoint())
        if isinstance(hit, Chip):
            self.chip_clicked.emit()

    def show_lane(self, lane: Lane, place: int) -> None:
        """What the lane is set to, and where its answer comes from."""
        model, provider = lane.model, lane.provider
        self.letter.setText(LETTERS[place])
        name, who = model.id if model is not None else lane.spec.model, provider.name if provider else ""
        if (
            lane.fallback is not None and lane.deployment is not None
        ):  # who answers now, never a silent change
            provider = lane.deployment.provider
            name, who = lane.deployment.model.id, provider.name
        self.name.show_model(harmless.one_line(name, 80), who)
        called = harmless.one_line(name or lane.spec.route, 80)
        self.menu.setAccessibleName(self.tr("Lane menu") + f" {LETTERS[place]}, {called}".rstrip(", "))
        simulated = bool(provider and provider.simulated)
        self._chip(
            "simulation",
            "simulation" if simulated else "",
            "warn",
            self.tr("No model is asked: this answer is made up."),
        )
        self._chip("route", f"route {lane.spec.route}" if lane.spec.route else "", "neutral", "")
        effort = lane.spec.parameters.reasoning_effort
        self._chip(
            "effort",
            f"effort {effort}" if effort else "",
            "neutral",
            self.tr("How hard the model is asked to think"),
        )
        modified = bool(differing(msgspec.structs.replace(lane.spec.parameters, reasoning_effort=None)))
        self._chip("modified", "modified" if modified else "", "neutral", told(lane.spec.parameters))
        self._chip(
            "unlinked",
            "" if lane.spec.linked else "unlinked",
            "neutral",
            self.tr("The composer does not ask this lane."),
        )
        self._show_deployment(lane, simulated)
        self._show_fallback(lane)
        self.show_waiting(lane)

    def show_waiting(self, lane: Lane) -> None:
        """How long until it asks again, counted down; nothing while it does not wait."""
        text, tip = "", ""
        if lane.waiting is not None:
            error = lane.waiting.error
            left = max(1, round(lane.resumes_at - monotonic()))
            text = self.tr("asks again in {0} s").format(left)
            if error.facts.get("limit") == "concurrent":
                text = self.tr("waits for its turn")
            tip = words_for(error, provider_name=lane.provider_name(error.provider)).sentence
        self._chip("waiting", text, "warn", tip)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hides whole chips rather than cutting words in two."""
        said = {word: chip for word, chip in self.chips.items() if chip.text()}
        wide = sum(chip.sizeHint().width() + 6 for chip in said.values())
        for word in _LEAST_NEEDED:
            if word in said:
                fits = wide <= self.width() - 22
                said[word].setVisible(fits)
                wide -= 0 if fits else said[word].sizeHint().width() + 6

    def _show_deployment(self, lane: Lane, simulated: bool) -> None:
        answer = lane.exchanges[-1].answer if lane.exchanges else None
        deployment = lane.deployment or (lane.planned[0].deployment if lane.planned else None)
        kept = answer is not None and answer.cache is not None and answer.cache.spared
        via, why, key = _way(deployment, answer if lane.deployment is None or kept else None)
        cached, saved = _cached(answer if not lane.running else None)
        self._chip("cached", cached, "ok", saved)
        self._chip("via", "" if simulated else via, "accent", why)
        obstacle = lane.obstacle
        if obstacle is not None and not lane.running:
            words = words_for(obstacle, provider_name=lane.provider_name(obstacle.provider))
            self._chip("key", words.title.lower(), "warn", f"{words.sentence} {words.fix}")
        else:
            self._chip(
                "key",
                "" if simulated else harmless.one_line(key, 28),
                "neutral",
                self.tr("The key this lane asks with"),
            )

    def _show_fallback(self, lane: Lane) -> None:
        text, tip = "", ""
        if lane.fallback is not None:
            failed = lane.provider_name(lane.fallback.failed.provider.id)
            error = lane.fallback.error
            step = "other key" if lane.fallback.failed.name == lane.fallback.next.name else "fell back"
            text = f"{step}: {failed} {error.status or error.kind.replace('_', ' ')}"
            wait = f" Free again {when(error.retry_after_s)}." if error.retry_after_s else ""
            tip = words_for(error, provider_name=failed).sentence + wait
        else:
            answer = lane.exchanges[-1].answer if lane.exchanges else None
            attempts = answer.attempts if answer else ()
            if attempts and attempts[0].deployment != attempts[-1].deployment:
                first = attempts[0]
                failed = lane.provider_name(first.deployment.partition("/")[0])
                text = f"fell back: {failed} {first.status or (first.kind or '').replace('_', ' ')}"
        self._chip("fallback", harmless.one_line(text, 48), "warn", tip)

    def _chip(self, word: str, text: str, role: str, tip: str) -> None:
        chip = self.chips[word]
        chip.set(text, role)
        chip.setToolTip(plain_tip("\n".join(map(harmless.one_line, tip.split("\n")))) if text else "")


def _cached(answer: StoredAnswer | None) -> tuple[str, str]:
    """Who had the answer already, and what that saved."""
    if answer is None:
        return "", ""
    if answer.cache is not None and answer.cache.spared:
        saved = f" It saved {money(answer.cache.saved.usd)}." if answer.cache.saved else ""
        shared = answer.cache.verdict == "shared"
        why = "The same was being asked already." if shared else "The same question was answered before."
        return ("shared" if shared else "cached"), why + saved
    if any(note.lower() == "gateway cache hit" for attempt in answer.attempts for note in attempt.notes):
        return "cached", "The gateway had the answer to this question."
    return "", ""


def _way(deployment: Deployment | None, answer: StoredAnswer | None) -> tuple[str, str, str]:
    """Through what, why, and with which key: of the answer that is kept, or where the next one would go."""
    if answer is not None and answer.attempts:
        last = answer.attempts[-1]
        return last.via, last.why_via, last.key
    if answer is not None and answer.cache is not None and answer.cache.spared:
        return "", "", ""
    if deployment is None:
        return "", "", ""
    return deployment.via, deployment.why_via, deployment.key_name
