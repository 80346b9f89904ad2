"""What a person allows a key: limits of their own, whose account it shares, and a note. Never the provider's limits."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QGridLayout, QWidget

from vibedesk.amounts import money
from vibedesk.engine.types import Limits
from vibedesk.state.vault import KeyRow, Vault
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Field, Label, bare

COUNTS = (
    ("requests_per_minute", "Requests a minute", "req/min"),
    ("requests_per_day", "Requests a day", "req/day"),
    ("tokens_per_minute", "Tokens a minute", "tok/min"),
    ("tokens_per_day", "Tokens a day", "tok/day"),
    ("concurrent", "At once", "at once"),
)
MOST = 10**12


def short_limit(limits: Limits) -> str:
    """The one that fits a column: the budget, else the first that is set; "—" for none."""
    if limits.monthly_usd is not None:
        return f"${limits.monthly_usd:,.2f}"
    return next(iter(limit_words(limits)), "—")


def limit_words(limits: Limits) -> list[str]:
    """Every limit that is set: `50 req/min`, `$20.00 a month`."""
    counts = [(getattr(limits, name), unit) for name, _, unit in COUNTS]
    words = [f"{number:,} {unit}" for number, unit in counts if number is not None]
    budget = [f"${limits.monthly_usd:,.2f} a month"] if limits.monthly_usd is not None else []
    return [*budget, *words]


class LimitsSheet(Sheet):
    """Fields left empty are no limit. Nothing is written before *Save*."""

    def __init__(self, host: QWidget, theme: Theme, vault: Vault, row: KeyRow) -> None:
        super().__init__(host, theme, title=f"Limits of “{row.label}”", width=520)
        assert row.key is not None
        self._vault, self._key = vault, row.key
        self._fields: dict[str, Field] = {}
        text = "Yours, beside the provider’s own: VibeDesk stops before it would pass them. Empty means no limit."
        self.body.addWidget(Label(text, "muted", wrap=True))
        self.body.addSpacing(8)
        self._grid: QGridLayout = bare(QGridLayout())
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, 136)
        self.body.addLayout(self._grid)
        self._build(row)
        self.problem = Label("", "small", wrap=True)
        self.problem.setProperty("role", "bad")
        self.body.addWidget(self.problem)
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.save.setDefault(True)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.save)
        self._look()

    def open(self) -> None:
        super().open()
        self.budget.setFocus()

    def _build(self, row: KeyRow) -> None:
        limits = self._key.limits
        budget = "" if limits.monthly_usd is None else f"{limits.monthly_usd:f}"
        self.budget = self._line(self.tr("Budget a month, $"), budget, "no limit")
        spent = (
            f"{money(row.spent)} spent this month (UTC)"
            if row.spent is not None
            else "Nothing known spent yet."
        )
        self._grid.addWidget(Label(spent, "small"), self._grid.rowCount(), 1)
        for name, title, _ in COUNTS:
            number = getattr(limits, name)
            self._fields[name] = self._line(title, "" if number is None else str(number), "no limit")
        self.scope = self._line("Account", self._key.scope, "not known: counts as shared")
        scopes = QCompleter(list(self._vault.scopes(self._key.provider)), self.scope)
        scopes.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.scope.setCompleter(scopes)
        why = "Keys of one account share its rate limits: name it alike where that is so, apart where not."
        self._grid.addWidget(Label(why, "small", wrap=True), self._grid.rowCount(), 1)
        self.note = self._line("Note", self._key.note, "what it is for, who pays, when it ends")

    def _line(self, title: str, text: str, placeholder: str) -> Field:
        field = Field(placeholder, name=title)
        field.setText(text)
        field.textChanged.connect(self._look)
        caption = Label(title, "muted")
        caption.setBuddy(field)
        number = self._grid.rowCount()
        self._grid.addWidget(caption, number, 0, Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(field, number, 1)
        return field

    def limits(self) -> Limits:
        """What the fields say. Raises `ValueError` with a sentence."""
        counts = {name: _count(field.text(), field.accessibleName()) for name, field in self._fields.items()}
        return Limits(monthly_usd=_dollars(self.budget.text()), **counts)

    def _look(self) -> None:
        if not hasattr(self, "save"):
            return
        try:
            self.limits()
        except ValueError as problem:
            self.problem.setText(str(problem))
        else:
            self.problem.setText("")
        self.problem.setVisible(bool(self.problem.text()))
        self.save.setEnabled(not self.problem.text())

    def _save(self) -> None:
        if self.save.isEnabled():
            self._vault.set_terms(self._key.id, self.limits(), self.scope.text(), self.note.text())
            self.accept()


def _count(text: str, title: str) -> int | None:
    """`50`, `4,000`, `400k`, `1.5M`; None for nothing. Raises `ValueError` with a sentence."""
    bare_text = text.strip().replace(",", "").replace("_", "").replace("\u202f", "").replace(" ", "")
    if not bare_text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", bare_text)
    if found is not None:
        number = Decimal(found[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()]
        if number == number.to_integral_value() and 1 <= number <= MOST:
            return int(number)
    raise ValueError(f"{title}: a whole number of at least 1, such as 50 or 400k.")


def _dollars(text: str) -> Decimal | None:
    given = text.strip().removeprefix("$").replace(",", "").strip()
    if not given:
        return None
    try:
        usd = Decimal(given)
    except InvalidOperation:
        usd = Decimal(0)
    if not usd.is_finite() or not 0 < usd <= MOST:
        raise ValueError("Budget a month: an amount of dollars above 0, such as 20 or 7.50.")
    return usd
