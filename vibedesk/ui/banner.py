"""A strip under the top bar that says how the vault is, while it is not ready."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from vibedesk.state.vault import Vault
from vibedesk.ui.announce import announce
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault_words import place_words
from vibedesk.ui.widgets import Button, Label, set_state


class VaultBanner(QFrame):
    """One sentence and what can be done about it; hidden while there is nothing to say."""

    def __init__(self, vault: Vault, theme: Theme) -> None:
        super().__init__()
        self._vault, self._theme = vault, theme
        self.setProperty("banner", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 8, 16, 8)
        row.setSpacing(8)
        self.text = Label("", wrap=True)
        self.action = Button("").on(lambda: act_on_place(self.window(), self._theme, self._vault))
        self.file = Button(self.tr("Use an encrypted file…"), "quiet").on(self._make_file)
        row.addWidget(self.text, 1)
        for button in (self.file, self.action):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        vault.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        words = place_words(self._vault)
        changed = words.sentence != self.text.text()
        self.text.setText(words.sentence)
        set_state(self, "role", words.role)
        self.action.setText(words.action)
        self.action.setVisible(bool(words.action))
        self.file.setVisible(words.offers_file)
        self.setVisible(bool(words.sentence))
        if changed and words.sentence and self.isVisible():
            announce(self, words.sentence)

    def _make_file(self) -> None:
        PassphraseSheet(self.window(), self._theme, self._vault).open()


def act_on_place(window: QWidget, theme: Theme, vault: Vault) -> None:
    """What helps a vault that is not ready: a passphrase, the keychain's own window, or another look."""
    state, door = vault.state, vault.door
    if state is None:
        return
    if state.is_file and state.kind in ("locked", "absent") and door.can_ask:
        PassphraseSheet(window, theme, vault).open()
    elif state.kind == "locked" and not state.is_file:
        door.open_keychain()
    else:
        vault.load()
