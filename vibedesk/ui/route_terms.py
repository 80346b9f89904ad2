"""What a route says beside its model and parameters: how long it waits, what follows a cut, what is kept, what the
gateway is asked."""

from __future__ import annotations

import re

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import CachePolicy, GatewayPolicy, Route, Timeouts
from vibedesk.ui.widgets import Button, Check, Choice, Field, Label, bare

_UNITS = {"": 1, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s|min|h|d|)")
_WAITS = (
    ("connect_s", "Connect"),
    ("first_token_s", "First token"),
    ("idle_s", "Between words"),
    ("total_s", "In all"),
)
_ON_CUT = [
    ("Keep what was said", "keep"),
    ("Ask for the rest", "continue"),
    ("Ask the next one anew", "restart"),
]
_REPLAY = [("At once", "at_once"), ("At the pace it came", "as_recorded")]


class RouteTerms(QWidget):
    """Folded away behind one button while it says nothing. `changed` when a person changed something."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.more = Button("").on(self._unfold)
        self.fold = QWidget()
        self.waits = {wait: Field("as usual", name=name) for wait, name in _WAITS}
        self.on_cut = Choice([*_ON_CUT])
        self.on_cut.setAccessibleName(self.tr("After a cut"))
        self.on_policy = Check(self.tr("Ask the next one after a refusal by policy"))
        self.cache = Check(self.tr("Give the same question the same answer"))
        self.cache_ttl = Field("1 d", name=self.tr("Kept for"))
        self.replay = Choice([*_REPLAY])
        self.replay.setAccessibleName(self.tr("Replay"))
        self.held = Label("", "small")
        self.forget = Button(self.tr("Forget them"), "quiet")
        self.gateway_ttl = Field("as set there", name=self.tr("Gateway keeps for"))
        self.gateway_skip = Check(self.tr("Never from the gateway’s cache"))
        self.gateway_key = Field("none", name=self.tr("Gateway cache key"))
        self.gateway_price = Check(self.tr("Send our price along"))
        self._lay_out()
        self._connect()

    def fill(self, route: Route) -> None:
        """Shows what the route says; unfolds where that is something."""
        blockers = [QSignalBlocker(self)]
        for wait, field in self.waits.items():
            field.setText(span(getattr(route.timeouts, wait)))
        self.on_cut.choose(route.on_cut)
        self.on_policy.setChecked(route.fallback_on_policy)
        self.cache.setChecked(route.cache.on)
        ttl_s = route.cache.ttl_s
        self.cache_ttl.setText("" if ttl_s == CachePolicy().ttl_s else span(ttl_s))
        self.replay.choose(route.cache.replay)
        self.gateway_ttl.setText(span(route.gateway.cache_ttl_s))
        self.gateway_skip.setChecked(route.gateway.skip_cache)
        self.gateway_key.setText(route.gateway.cache_key)
        self.gateway_price.setChecked(route.gateway.send_price)
        self._show_fold(says_something(route))
        self._show_cache()
        del blockers

    def show_held(self, answers: int, size: int) -> None:
        """How much the cache keeps, for all routes together."""
        words = f"{answers:,} answer{'s' if answers != 1 else ''} kept, {max(1, round(size / 1024)):,} KB"
        self.held.setText(words if answers else "No answer is kept yet.")
        self.forget.setVisible(answers > 0)

    def put_into(self, route: Route) -> Route:
        """The route with what stands here. Raises ValueError with what to mend."""
        ttl_s = seconds_of(self.cache_ttl.text(), self.tr("Kept for"))
        gateway_ttl = seconds_of(self.gateway_ttl.text(), self.tr("Gateway keeps for"))
        if gateway_ttl is not None and not 60 <= gateway_ttl <= 2_592_000:
            raise ValueError(self.tr("The gateway keeps answers from 1 min to 30 d."))
        if ttl_s is not None and ttl_s < 1:
            raise ValueError(self.tr("Answers are kept for 1 s or longer."))
        key = self.gateway_key.text().strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError(self.tr("The gateway’s cache key is made of plain characters."))
        return replace(
            route,
            timeouts=Timeouts(**{wait: seconds_of(self.waits[wait].text(), name) for wait, name in _WAITS}),
            on_cut=self.on_cut.chosen(),
            fallback_on_policy=self.on_policy.isChecked(),
            cache=CachePolicy(
                on=self.cache.isChecked(),
                ttl_s=CachePolicy().ttl_s if ttl_s is None else round(ttl_s),
                replay=self.replay.chosen(),
            ),
            gateway=GatewayPolicy(
                cache_ttl_s=None if gateway_ttl is None else round(gateway_ttl),
                skip_cache=self.gateway_skip.isChecked(),
                cache_key=key,
                send_price=self.gateway_price.isChecked(),
            ),
        )

    def _lay_out(self) -> None:
        column = bare(QVBoxLayout(self), 8)
        head = bare(QHBoxLayout())
        head.addWidget(self.more)
        head.addStretch(1)
        column.addLayout(head)
        column.addWidget(self.fold)
        inner = bare(QVBoxLayout(self.fold), 8)
        waits = bare(QGridLayout(), 8)
        for place, (wait, name) in enumerate(_WAITS):
            words = Label(name, "small")
            waits.addWidget(words, place // 2 * 2, place % 2)
            waits.addWidget(self.waits[wait], place // 2 * 2 + 1, place % 2)
        inner.addWidget(Label(self.tr("How long it waits"), "caption"))
        inner.addLayout(waits)
        inner.addSpacing(4)
        inner.addWidget(Label(self.tr("When it goes wrong"), "caption"))
        inner.addLayout(_row(self.tr("After a cut"), self.on_cut))
        inner.addWidget(self.on_policy)
        inner.addSpacing(4)
        inner.addWidget(Label(self.tr("Answer cache"), "caption"))
        inner.addWidget(self.cache)
        inner.addLayout(_row(self.tr("Kept for"), self.cache_ttl))
        inner.addLayout(_row("Given", self.replay))
        held: QHBoxLayout = bare(QHBoxLayout(), 8)
        held.addWidget(self.held)
        held.addStretch(1)
        held.addWidget(self.forget)
        inner.addLayout(held)
        inner.addSpacing(4)
        inner.addWidget(Label(self.tr("At the gateway"), "caption"))
        inner.addLayout(_row(self.tr("Keeps for"), self.gateway_ttl))
        inner.addLayout(_row(self.tr("Cache key"), self.gateway_key))
        inner.addWidget(self.gateway_skip)
        inner.addWidget(self.gateway_price)

    def _connect(self) -> None:
        for field in (*self.waits.values(), self.cache_ttl, self.gateway_ttl, self.gateway_key):
            field.textChanged.connect(lambda: self.changed.emit())
        for choice in (self.on_cut, self.replay):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.currentIndexChanged.connect(lambda: self.changed.emit())
        for check in (self.on_policy, self.cache, self.gateway_skip, self.gateway_price):
            check.toggled.connect(lambda: self.changed.emit())
        self.cache.toggled.connect(self._show_cache)

    def _unfold(self) -> None:
        self._show_fold(self.fold.isHidden())

    def _show_fold(self, open: bool) -> None:
        self.fold.setVisible(open)
        self.more.setText("Less" if open else "Waiting, cuts, cache, gateway…")

    def _show_cache(self) -> None:
        for widget in (self.cache_ttl, self.replay):
            widget.setEnabled(self.cache.isChecked())


def says_something(route: Route) -> bool:
    """Whether any of this differs from the default."""
    plain = Route(name=route.name, model=route.model)
    names = ("timeouts", "on_cut", "fallback_on_policy", "cache", "gateway")
    return any(getattr(route, name) != getattr(plain, name) for name in names)


def span(seconds: float | None) -> str:
    """Seconds as a person writes them: `20 s`, `10 min`, `1 d`; "" for None."""
    if seconds is None:
        return ""
    for unit in ("d", "h", "min"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g} {unit}"
    return f"{seconds:.10g} s"


def seconds_of(text: str, name: str) -> float | None:
    """`20`, `20 s`, `1.5 min`, `2 h`; None where nothing is written. Raises ValueError with what to mend."""
    text = text.strip()
    if not text:
        return None
    match = _SPAN.fullmatch(text)
    seconds = float(match[1].replace(",", ".")) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= 31_536_000 or (name not in ("Kept for", "Gateway keeps for") and seconds > 86_400):
        raise ValueError(f"{name} is a time such as 20 s, 2 min or 1 h, or empty.")
    return seconds


def _row(words: str, field: QWidget) -> QHBoxLayout:
    row: QHBoxLayout = bare(QHBoxLayout(), 12)
    label = Label(words, "small")
    label.setFixedWidth(76)
    row.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
    row.addWidget(field, 1)
    return row
