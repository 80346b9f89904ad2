"""The keys page: every key with its state, and beside the list all that is known of one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Provider, Secret
from vibedesk.state.notices import Notices
from vibedesk.state.vault import LOCAL, KeyRow, Vault
from vibedesk.ui.banner import VaultBanner
from vibedesk.ui.clipboard import SECONDS, SecretClipboard
from vibedesk.ui.key_import import ImportSheet
from vibedesk.ui.key_panel import KeyPanel
from vibedesk.ui.key_table import LAST_USED, LIMIT, MONTH, SOURCE, KeyTable
from vibedesk.ui.limits import LimitsSheet
from vibedesk.ui.matrix import MatrixSheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.vault_words import place_words
from vibedesk.ui.widgets import Button, Chip, Empty, TopBar, bare, in_tab_order
from vibedesk.ui.wizard import Wizard

PANEL = 360
NARROW = 820
"""Below this width of the page the panel takes the place of the list."""

HIDDEN_BELOW = {LAST_USED: 800, LIMIT: 720, MONTH: 640, SOURCE: 560}
"""Column → width of the list, in pixels, below which it does without: the keys' names need some 200 of them."""

TINY = 560
"""Below this, only the main button stays in the top bar; the palette has the others."""


class KeysPage(QWidget):
    """`first_message(provider id)` when a person wants to use a key they just added."""

    first_message = Signal(str)

    def __init__(self, vault: Vault, theme: Theme, notices: Notices, clipboard: SecretClipboard) -> None:
        super().__init__()
        self._vault, self._theme, self._notices, self._clipboard = vault, theme, notices, clipboard
        self._detail = False
        self.table = KeyTable(vault, theme)
        self.panel = KeyPanel(vault, theme)
        self.banner = VaultBanner(vault, theme)
        self.empty = Empty(
            self.tr("No keys yet"),
            self.tr(
                "Paste a key of any provider. "
                "It is kept in the keychain, and sent to that provider and nowhere else."
            ),
            Button(self.tr("Add key"), "primary").on(self.add_key),
        )
        column: QVBoxLayout = bare(QVBoxLayout(self))
        column.addWidget(self._top_bar())
        column.addWidget(self.banner)
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
        buttons = (self.import_button, self.health_button, self.check_button, self.add_button)
        in_tab_order(self.table, *buttons)
        self._connect()
        self._show()

    # Intents

    def add_key(self, provider: Provider | None = None, pasted: str = "") -> None:
        """Opens the wizard, for a provider where one is given, with what was pasted in its field."""
        self._open_wizard(Wizard(self.window(), self._theme, self._vault, provider=provider, pasted=pasted))

    def show_key(self, key_id: str) -> None:
        """This one's details."""
        self.table.choose(key_id)
        self._show_detail(True)

    def import_keys(self) -> None:
        ImportSheet(self.window(), self._theme, self._vault).open()

    def open_matrix(self) -> None:
        """Keys × models."""
        MatrixSheet(self.window(), self._theme, self._vault.matrix).open()

    def copy(self, row: KeyRow) -> None:
        """Copies the secret, for a short time."""

        def put(secret: Secret) -> None:
            self._clipboard.put(secret)
            self._notices.add(f"“{row.label}” is copied and leaves the clipboard in {SECONDS} s.", seconds=5)

        self._vault.with_secret(row.id, put)

    def edit_limits(self, row: KeyRow) -> None:
        """The person's own limits for this key."""
        if row.key is not None:
            LimitsSheet(self.window(), self._theme, self._vault, row).open()

    def _replace(self, row: KeyRow) -> None:
        self._open_wizard(Wizard(self.window(), self._theme, self._vault, replacing=row))

    def _open_wizard(self, wizard: Wizard) -> None:
        wizard.first_message.connect(self.first_message)
        wizard.open()

    def _check_all(self) -> None:
        if self._vault.check_round.running:
            self._vault.check_round.stop()
        else:
            self._vault.check_all()

    # Its parts

    def _top_bar(self) -> TopBar:
        bar = TopBar("Keys")
        self.chip = Chip("", dot=True)
        bar.left.addWidget(self.chip)
        self.import_button = Button(self.tr("Import…")).on(self.import_keys)
        self.health_button = Button(self.tr("Health…")).on(self.open_matrix)
        self.check_button = Button(self.tr("Check all")).on(self._check_all)
        for button in (self.import_button, self.health_button, self.check_button):
            bar.right.addWidget(button)
        self.add_button = Button(self.tr("Add key"), "primary").on(self.add_key)
        bar.right.addWidget(self.add_button)
        return bar

    def _connect(self) -> None:
        self._vault.changed.connect(self._show)
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(lambda _: self._show_detail(True))
        self.table.clicked.connect(lambda _: self._show_detail(True))
        self.table.deleted.connect(lambda row: self._vault.delete(row.id))
        self.panel.closed.connect(lambda: self._show_detail(False))
        self.panel.copy_wanted.connect(self.copy)
        self.panel.replace_wanted.connect(self._replace)
        self.panel.limits_wanted.connect(self.edit_limits)

    # What it shows

    def _show(self) -> None:
        has_keys = any(row.id != LOCAL for row in self._vault.rows.rows())
        self._stack.setCurrentIndex(0 if has_keys or not self._vault.loaded else 1)
        words = place_words(self._vault)
        self.chip.set(words.chip if self._vault.state else "", words.role)
        self.chip.setToolTip(words.sentence)
        done, all_of_them = self._vault.check_round.progress
        running = self._vault.check_round.running
        self.check_button.setText(f"Stop · {done} of {all_of_them}" if running else "Check all")
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
        self.import_button.setVisible(not tiny)
        self.check_button.setVisible(has_keys and not tiny)
        self.health_button.setVisible(has_keys and not tiny)
        listed = self._stack.currentIndex() == 0
        self.add_button.setVisible(listed)  # the empty page offers it itself
        shown = listed and self.panel.row is not None and (self._detail or not narrow)
        self.panel.setVisible(shown)
        self.panel.back.setVisible(narrow)
        self._left.setVisible(not (narrow and shown))
        if narrow:
            self.panel.setMinimumWidth(0)
            self.panel.setMaximumWidth(16_777_215)
        else:
            self.panel.setFixedWidth(PANEL)
        room = self.width() - (PANEL if shown else 0)
        for column, least in HIDDEN_BELOW.items():
            self.table.setColumnHidden(column, room < least)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A key that is pasted over the list goes where keys are pasted."""
        if event.matches(QKeySequence.StandardKey.Paste) and QGuiApplication.clipboard().text().strip():
            self.add_key(pasted=QGuiApplication.clipboard().text())
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vault.load()
