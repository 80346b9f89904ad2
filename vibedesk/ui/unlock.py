"""The encrypted file's sheets: choosing a passphrase, opening it, and the recovery code that is shown once."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from vibedesk.engine.types import Secret
from vibedesk.state.vault import Vault
from vibedesk.ui.clipboard import SecretClipboard
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Check, Field, Label, quiet_field

SHORTEST = 8


class PassphraseSheet(Sheet):
    """Asks for the passphrase of the encrypted file: twice when the file is to be made. Accepted once it is open."""

    def __init__(self, host: QWidget, theme: Theme, vault: Vault) -> None:
        self._new = not vault.is_locked
        title = "Keep keys in an encrypted file" if self._new else "Unlock the encrypted file"
        super().__init__(host, theme, title=title, width=480)
        self._vault = vault
        text = (
            "There is no system keychain here. The file is encrypted with your passphrase; without it, or the recovery "
            "code shown next, nobody can read the keys. There is no way round that."
            if self._new
            else "Its passphrase, or the recovery code that was shown when it was made."
        )
        self.body.addWidget(Label(text, "muted", wrap=True))
        self.passphrase = passphrase_field("Passphrase")
        self.again = passphrase_field("Passphrase again")
        self.again.setVisible(self._new)
        self.problem = Label("", "small", wrap=True)
        self.problem.setProperty("role", "bad")
        for widget in (self.passphrase, self.again, self.problem):
            self.body.addWidget(widget)
        self.problem.hide()
        self.go = Button("Make the file" if self._new else "Unlock", "primary").on(self._go)
        self.go.setDefault(True)
        self.footer.addStretch(1)
        self.footer.addWidget(Button("Cancel").on(self.reject))
        self.footer.addWidget(self.go)
        self.passphrase.textChanged.connect(self._look)
        self.again.textChanged.connect(self._look)
        vault.unlocked.connect(self._opened)
        vault.unlock_refused.connect(self._say)
        self._look()

    def open(self) -> None:
        super().open()
        self.passphrase.setFocus()

    def _look(self) -> None:
        words = self.passphrase.text()
        enough = len(words) >= SHORTEST and words == self.again.text() if self._new else bool(words)
        self.go.setEnabled(enough)
        differs = self._new and bool(self.again.text()) and words != self.again.text()
        short = self._new and 0 < len(words) < SHORTEST
        self._say("The two differ." if differs else f"At least {SHORTEST} characters." if short else "")

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        if sentence and not self.passphrase.isEnabled():
            self._set_busy(False)

    def _go(self) -> None:
        if not self.go.isEnabled():
            return
        self._set_busy(True)
        words = self.passphrase.text()
        if self._new:
            self._vault.create_file(words)
        else:
            self._vault.unlock(words)

    def _set_busy(self, busy: bool) -> None:
        self.go.setEnabled(not busy)
        self.passphrase.setEnabled(not busy)
        self.again.setEnabled(not busy)

    def _opened(self) -> None:
        self.passphrase.clear()
        self.again.clear()
        self.accept()


class RecoverySheet(Sheet):
    """Shows the recovery code, once, and asks whether it was written down."""

    def __init__(self, host: QWidget, theme: Theme, code: str, clipboard: SecretClipboard) -> None:
        super().__init__(host, theme, title="Your recovery code", width=520)
        self.body.addWidget(
            Label(
                "It opens the file when the passphrase is lost. It is shown now and never again.",
                "muted",
                wrap=True,
            )
        )
        self.code = Label(code, "mono", wrap=True).selectable()
        self.code.setAccessibleName("Recovery code")
        self.body.addSpacing(4)
        self.body.addWidget(self.code)
        self.body.addSpacing(4)
        self.noted = Check("I have written it down")
        self.body.addWidget(self.noted)
        self.done_button = Button("Done", "primary").on(self.accept)
        self.done_button.setEnabled(False)
        self.noted.toggled.connect(self.done_button.setEnabled)
        self.footer.addWidget(Button("Copy").on(lambda: clipboard.put(Secret(code))))
        self.footer.addStretch(1)
        self.footer.addWidget(self.done_button)

    def reject(self) -> None:
        """Escape does not lose the code before it was noted."""
        if self.noted.isChecked():
            super().reject()


def passphrase_field(name: str) -> Field:
    field = Field(name, name=name)
    quiet_field(field)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field
