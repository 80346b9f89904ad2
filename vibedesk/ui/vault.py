"""The keys page: every key with its state, and beside the list all that is known of one."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Provider, Secret
from vibedesk.state.notices import Notices
from vibedesk.state.vault import LOCAL, KeyRow, Vault
from vibedesk.state.words import ago
from vibedesk.ui.clipboard import SECONDS, SecretClipboard
from vibedesk.ui.key_panel import KeyPanel
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.widgets import Button, Chip, Empty, TopBar, bare
from vibedesk.ui.wizard import ImportSheet, Wizard
from vibedesk.wording import money

PANEL = 360
NARROW = 820
"""Below this width of the page the panel takes the place of the list."""

TINY = 560
"""Below this, only the main button stays in the top bar; the palette has the others."""


class KeysPage(QWidget):
    """`first_message(provider id)` when a person wants to use a key they just added."""

    first_message = Signal(str)

    def __init__(self, vault: Vault, theme: Theme, notices: Notices, clipboard: SecretClipboard) -> None:
        super().__init__()
        self._vault, self._theme, self._notices, self._clipboard = vault, theme, notices, clipboard
        self._detail = False
        self.table = Table(vault.rows, self._columns(), theme, name="Keys")
        self.panel = KeyPanel(vault, theme)
        self.empty = Empty(
            "No keys yet",
            "Paste a key of any provider. It is kept in the keychain, and sent to that provider and nowhere else.",
            Button("Add key", "primary").on(self.add_key),
        )
        column: QVBoxLayout = bare(QVBoxLayout(self))
        column.addWidget(self._top_bar())
        row: QHBoxLayout = bare(QHBoxLayout())
        column.addLayout(row, 1)
        self._left = QWidget()
        self._stack = QStackedLayout(self._left)
        framed = QWidget()
        frame = bare(QVBoxLayout(framed))
        frame.setContentsMargins(20, 4, 20, 16)
        frame.addWidget(self.table)
        self._stack.addWidget(framed)
        self._stack.addWidget(self.empty)
        row.addWidget(self._left, 1)
        row.addWidget(self.panel)
        self.setFocusProxy(self.table)
        self._connect()
        self._show()

    # Intents

    def add_key(self, provider: Provider | None = None) -> None:
        """Opens the wizard, for a provider where one is given."""
        self._open_wizard(Wizard(self.window(), self._theme, self._vault, provider=provider))

    def import_keys(self) -> None:
        ImportSheet(self.window(), self._theme, self._vault).open()

    def copy(self, row: KeyRow) -> None:
        """Copies the secret, for a short time."""

        def put(secret: Secret) -> None:
            self._clipboard.put(secret)
            self._notices.add(f"“{row.label}” is copied and leaves the clipboard in {SECONDS} s.", seconds=5)

        self._vault.with_secret(row.id, put)

    def unlock(self) -> None:
        """Asks for the passphrase of the encrypted file, or for a new one where there is no file."""
        if self._vault.can_ask:
            PassphraseSheet(self.window(), self._theme, self._vault).open()
        else:
            self._vault.load()

    def _replace(self, row: KeyRow) -> None:
        self._open_wizard(Wizard(self.window(), self._theme, self._vault, replacing=row))

    def _open_wizard(self, wizard: Wizard) -> None:
        wizard.first_message.connect(self.first_message)
        wizard.open()

    # Its parts

    def _top_bar(self) -> TopBar:
        bar = TopBar("Keys")
        self.chip = Chip("", dot=True)
        self.unlock_button = Button("", "link").on(self.unlock)
        bar.left.addWidget(self.chip)
        bar.left.addWidget(self.unlock_button)
        self.import_button = Button("Import…").on(self.import_keys)
        self.check_button = Button("Check all").on(self._vault.check_all)
        bar.right.addWidget(self.import_button)
        bar.right.addWidget(self.check_button)
        bar.right.addWidget(Button("Add key", "primary").on(self.add_key))
        return bar

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(title="Key", cell=_name_cell, stretch=True),
            Column(title="Source", cell=lambda row: row.source, width=112),
            Column(
                title="State",
                cell=lambda row: Cell(text=row.chip, kind="chip", role=row.role, dot=row.key is not None),
            ),
            Column(title="Last used", cell=lambda row: ago(row.key.last_used) if row.key else "", width=104),
            Column(
                title="This month",
                cell=lambda row: money(row.spent) if row.key else "",
                width=100,
                align="right",
            ),
            Column(title="Limit", cell=lambda row: "—" if row.key else "", width=64, align="right"),
        )

    def _connect(self) -> None:
        self._vault.changed.connect(self._show)
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(lambda _: self._show_detail(True))
        self.table.clicked.connect(lambda _: self._show_detail(True))
        self.panel.closed.connect(lambda: self._show_detail(False))
        self.panel.copy_wanted.connect(self.copy)
        self.panel.replace_wanted.connect(self._replace)

    # What it shows

    def _show(self) -> None:
        state = self._vault.state
        has_keys = any(row.id != LOCAL for row in self._vault.rows.rows())
        self._stack.setCurrentIndex(0 if has_keys or not self._vault.loaded else 1)
        if state is not None:
            words = {
                "ready": state.where,
                "locked": "Vault locked",
                "unavailable": "Vault unavailable",
                "absent": "No vault yet",
            }
            roles = {"ready": "ok", "locked": "warn", "unavailable": "bad", "absent": "neutral"}
            self.chip.set(words[state.kind], roles[state.kind])
            self.chip.setToolTip(state.reason)
            offers = {"locked": "Unlock…", "ready": ""}
            offer = offers.get(state.kind, "Use an encrypted file…" if state.offer_file else "Try again")
            self.unlock_button.setText(offer)
            self.unlock_button.setVisible(bool(offer))
        if self.table.value() is None and self._vault.rows.rowCount() > 1:
            self.table.selectRow(0)
        self._choose(self.table.value())

    def _choose(self, row: KeyRow | None) -> None:
        self.panel.show_row(self._vault.row(row.id) if row else None)
        self._arrange()

    def _show_detail(self, shown: bool) -> None:
        self._detail = shown
        self._arrange()
        if shown and self.width() < NARROW:
            self.panel.setFocus(Qt.FocusReason.OtherFocusReason)
        if not shown:
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        narrow, tiny = self.width() < NARROW, self.width() < TINY
        has_keys = self._vault.rows.rowCount() > 1
        self.import_button.setVisible(bool(self._vault.importable()) and not tiny)
        self.check_button.setVisible(has_keys and not tiny)
        listed = self._stack.currentIndex() == 0
        shown = listed and self.panel.row is not None and (self._detail or not narrow)
        self.panel.setVisible(shown)
        self.panel.back.setVisible(narrow)
        self._left.setVisible(not (narrow and shown))
        if narrow:
            self.panel.setMinimumWidth(0)
            self.panel.setMaximumWidth(16_777_215)
        else:
            self.panel.setFixedWidth(PANEL)
        for number in (3, 5):
            self.table.setColumnHidden(number, self.width() - (PANEL if shown else 0) < 720)
        self.table.setColumnHidden(1, self.width() < 560)
        self.table.setColumnHidden(4, self.width() < 640)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vault.load()


def _name_cell(row: KeyRow) -> Cell:
    tile = (row.provider.letter, row.provider.colour) if row.provider else (row.label[:1], "faint")
    kind: Literal["strong", "muted"] = "strong" if row.key is not None else "muted"
    return Cell(
        text=row.label, kind=kind, hint=row.hint, tile=tile, tip=row.provider.name if row.provider else ""
    )
