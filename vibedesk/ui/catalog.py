"""The models drawn: the page that lists them all, and the words each is described with."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Model, Price
from vibedesk.state.catalog import CatalogState, ModelRow
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import (
    Button,
    Check,
    Chip,
    Choice,
    Empty,
    Field,
    Hairline,
    Label,
    TopBar,
    bare,
    in_tab_order,
)
from vibedesk.wording import words_for

TEACH = "Choose a model to read about it; Enter opens it in a lane."
ABILITIES = {"vision": "vision", "reasoning": "reasoning", "tools": "tools", "json": "JSON"}


class ModelsPage(QWidget):
    """Every model known, with what it can do and costs. `asked(full id)` and `add_key(provider id)` go outside."""

    asked = Signal(str)
    add_key = Signal(str)

    def __init__(self, catalog: CatalogState, theme: Theme) -> None:
        super().__init__()
        self._catalog = catalog
        self._refused: list[str] = []
        self._said = ""
        self.search = Field(self.tr("Search models"), name=self.tr("Search models"))
        self.search.setClearButtonEnabled(True)
        self.provider = Choice([("All providers", "")])
        self.provider.setAccessibleName(self.tr("Provider"))
        self.usable = Check(self.tr("Usable now"))
        self.refresh = Button(self.tr("Refresh")).on(self._refresh)
        self.refresh.setToolTip(self.tr("Asks each provider you have a key for which models it has now"))
        self.count = Chip()
        self.table = Table(catalog.rows, _columns(), theme, name="Models")
        self.note = Label(TEACH, "small", wrap=True)
        self.nothing = Empty(
            self.tr("No model fits"), "", Button(self.tr("Show all models")).on(self._show_all)
        )
        self._pages = QStackedLayout()
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=40)
        self._timer.timeout.connect(self._show)
        self._connect()
        self._fill_providers()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down leads from the field into the list, as Enter does."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Down:
            if event.type() == QEvent.Type.KeyPress:
                self._first()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self.width()
        self.search.setFixedWidth(220 if width >= 960 else 130 if width >= 600 else 96)
        self.provider.setFixedWidth(170 if width >= 960 else 140 if width >= 600 else 96)
        self.refresh.setVisible(width >= 600)
        hide_columns(self.table, self.width(), HIDDEN_BELOW)
        self._show_count()

    def _lay_out(self) -> None:
        bar = TopBar("Models")
        bar.left.addWidget(self.count)
        for part in (self.usable, self.provider, self.search, self.refresh):
            bar.right.addWidget(part)
        foot = bare(QHBoxLayout())
        foot.setContentsMargins(10, 6, 10, 8)
        foot.addWidget(self.note)
        self.note.setMinimumHeight(34)
        column = bare(QVBoxLayout(self))
        column.addWidget(bar)
        column.addLayout(self._pages, 1)
        listed = QWidget()
        body = bare(QVBoxLayout(listed))
        body.setContentsMargins(20, 4, 20, 0)
        body.addWidget(self.table)
        body.addWidget(Hairline())
        body.addLayout(foot)
        self._pages.addWidget(listed)
        self._pages.addWidget(self.nothing)
        self.setFocusProxy(self.search)
        in_tab_order(self.search, self.usable, self.provider, self.refresh, self.table)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda: self._timer.start())
        self.search.returnPressed.connect(self._first)
        self.search.installEventFilter(self)
        self.provider.currentIndexChanged.connect(lambda: self._show())
        self.usable.toggled.connect(lambda: self._show())
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._describe)
        self._catalog.changed.connect(self._changed)
        self._catalog.refresh_started.connect(lambda _: self._tell_refreshing())
        self._catalog.refreshed.connect(self._tell_refreshed)

    def _fill_providers(self) -> None:
        kept = self.provider.chosen()
        self.provider.blockSignals(True)
        while self.provider.count() > 1:
            self.provider.removeItem(1)
        for one in self._catalog.catalog.providers.values():
            self.provider.addItem(one.name, one.id)
        self.provider.choose(kept)
        self.provider.blockSignals(False)

    def _changed(self) -> None:
        listed = [self.provider.itemData(place) for place in range(1, self.provider.count())]
        if listed != list(self._catalog.catalog.providers):
            self._fill_providers()
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        self._timer.stop()
        query, provider = self.search.text().strip(), self.provider.chosen()
        self._catalog.show(query, provider=provider, usable_only=self.usable.isChecked())
        number = self._catalog.rows.rowCount()
        self._said = f"{number:,} listed" if number else ""
        self._show_count()
        self._pages.setCurrentIndex(0 if number else 1)
        self.nothing.text.setText(self._why_nothing())

    def _show_count(self) -> None:
        self.count.set(self._said if self.width() >= 760 else "")

    def _why_nothing(self) -> str:
        if not self.search.text().strip():
            return "Refresh asks the providers for their own lists. A local server must be running for that."
        among = " of those usable now" if self.usable.isChecked() else ""
        return f"None{among} has “{self.search.text().strip()}” in its name, id or provider."

    def _show_all(self) -> None:
        self.usable.setChecked(False)
        self.provider.choose("")
        self.search.clear()
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _first(self) -> None:
        self._show()
        if self._catalog.rows.rowCount():
            self.table.selectRow(0)
            self.table.setFocus(Qt.FocusReason.TabFocusReason)

    def _open(self, row: ModelRow) -> None:
        if row.usable:
            self._catalog.note_used(row.id)
            self.asked.emit(row.id)
        elif row.model.state != "retired":
            self.add_key.emit(row.provider.id)
        elif row.model.replacement:
            self._open(self._catalog.row(f"{row.provider.id}/{row.model.replacement}"))

    def _refresh(self) -> None:
        self._refused = []
        if not self._catalog.refresh(self.provider.chosen()):
            self.note.setText(
                self.tr(
                    "No provider has a key yet, so there is no list to ask for. Add one on the Keys page."
                )
            )

    def _tell_refreshing(self) -> None:
        names = [self._catalog.catalog.provider(one).name for one in self._catalog.refreshing()]
        self.refresh.setEnabled(not names)
        asking = (
            f"Asking {', '.join(names)}…" if names else "" if self._refused else "The lists are up to date."
        )
        self.note.setText(" ".join([*self._refused, asking]).strip())

    def _tell_refreshed(self, provider: str, error: EngineError | None) -> None:
        if error is not None:
            name = self._catalog.catalog.provider(provider).name
            words = words_for(error, provider_name=name)
            self._refused.append(f"{name}: {words.sentence} {words.fix}".strip())
        self._tell_refreshing()

    def _describe(self, row: ModelRow | None) -> None:
        self.note.setText(describe(row, on_enter(row)) if row else TEACH)


HIDDEN_BELOW = {"Can": 1000, "Max out": 900, "Provider": 820, "Window": 700, "State": 560}
"""Column → width of the page, in pixels, below which the table does without it."""


def hide_columns(table: Table, width: int, below: Mapping[str, int]) -> None:
    """Shows only the columns that `width` has room for."""
    header = table.model()
    for number in range(header.columnCount()):
        title = header.headerData(number, Qt.Orientation.Horizontal)
        table.setColumnHidden(number, width < below.get(title, 0))


def _columns() -> list[Column]:
    return [
        Column(title="Model", cell=_name_cell, stretch=True),
        Column(title="Provider", cell=lambda row: Cell(text=row.provider.name, kind="muted"), width=130),
        Column(title="State", cell=state_cell, width=150),
        Column(title="Can", cell=lambda row: Cell(text=abilities(row.model), kind="muted"), width=226),
        Column(title="Window", cell=lambda row: tokens(row.model.context_window), width=72, align="right"),
        Column(title="Max out", cell=lambda row: tokens(row.model.max_output), width=76, align="right"),
        Column(title="$ / M in · out", cell=_price_cell, width=124, align="right"),
    ]


def _name_cell(row: ModelRow) -> Cell:
    name = f"★ {row.model.name}" if row.favourite else row.model.name
    hint = "" if row.model.name == row.model.id else row.model.id
    kind: Literal["strong", "muted"] = "strong" if row.usable else "muted"
    return Cell(text=name, kind=kind, hint=hint, tile=(row.provider.letter, row.provider.colour), tip=row.id)


def state_cell(row: ModelRow) -> Cell:
    """Whether the model can be asked now, and if not, what is in the way."""
    text, role = state_words(row)
    return Cell(text=text, kind="chip", role=role, dot=role != "neutral", tip=row.model.note)


def state_words(row: ModelRow) -> tuple[str, str]:
    """The same in a few words, with the chip's role."""
    model = row.model
    if model.state == "retired":
        return "retired", "bad"
    if row.provider.simulated:
        return "simulation", "accent"
    if not row.usable:
        return "needs a key", "neutral"
    if model.state == "retiring" and model.retires:
        return f"until {model.retires:%-d %b %Y}", "warn"
    return ("ready", "ok") if model.state != "unlisted" else ("unlisted", "neutral")


def _price_cell(row: ModelRow) -> Cell:
    price = row.model.price
    tip = price_tip(price) if price else "No price is known"
    return Cell(text=price_words(price), kind="body" if price else "muted", tip=tip)


def price_words(price: Price | None) -> str:
    """Dollars per million tokens, in and out: `$3 · $15`."""
    return f"{dollars(price.input)} · {dollars(price.output)}" if price else "—"


def dollars(amount: Decimal) -> str:
    """A price per million tokens, without needless zeros: $3, $0.10, $0.075."""
    if not amount:
        return "free"
    whole, _, cents = f"{amount.normalize():f}".partition(".")
    return f"${whole}.{cents.ljust(2, '0')}" if cents else f"${whole}"


def price_tip(price: Price) -> str:
    """All that is known of a price, with where it came from."""
    parts = [f"{dollars(price.input)} in, {dollars(price.output)} out per million tokens"]
    if price.cached is not None:
        parts.append(f"{dollars(price.cached)} cached in")
    if price.threshold and price.long_input is not None and price.long_output is not None:
        long = f"{dollars(price.long_input)} in, {dollars(price.long_output)} out"
        parts.append(f"{long} for prompts over {price.threshold:,} tokens")
    if price.starts and price.then:
        parts.append(
            f"from {price.starts:%-d %b %Y} {dollars(price.then.input)} in, {dollars(price.then.output)} out"
        )
    return " · ".join(parts) + (f". From {price.source}." if price.source else "")


def tokens(count: int | None) -> str:
    """A number of tokens as people say it: 1.05M, 131k, —."""
    if count is None:
        return "—"
    if count >= 1_000_000:
        return f"{count / 1_000_000:.2f}".rstrip("0").rstrip(".") + "M"
    return f"{round(count / 1000)}k" if count >= 1000 else str(count)


def abilities(model: Model) -> str:
    """What it can do beyond text."""
    return " · ".join(word for ability, word in ABILITIES.items() if ability in model.capabilities)


def describe(row: ModelRow, *more: str) -> str:
    """One line about a model: what it is called on the wire, `more`, what became of it, what it costs."""
    model = row.model
    parts = [row.id, *more]
    if model.state == "retired":
        gone = f"gone since {model.retires:%-d %b %Y}" if model.retires else "gone"
        parts.append(f"{gone}; use {model.replacement} instead" if model.replacement else gone)
    if model.price is not None:
        parts.append(price_tip(model.price))
    if model.note:
        parts.append(model.note)
    return " · ".join(parts)


def on_enter(row: ModelRow) -> str:
    """What Enter does with it."""
    if row.usable:
        return "Enter opens it in a lane"
    if row.model.state != "retired":
        return f"Enter adds a key for {row.provider.name}"
    return "Enter opens the replacement" if row.model.replacement else "nothing replaces it"
