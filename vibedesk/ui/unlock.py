"""The encrypted file's sheets: choosing a passphrase, opening it, and the recovery code that is shown once."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from vibedesk.engine.types import Secret
from vibedesk.state.vault import Vault
from vibedesk.ui.announce import announce
from vibedesk.ui.clipboard import SecretClipboard
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Check, Field, Label, quiet_field

SHORTEST = 8


_NEW = (
    "Keep keys in an encrypted file",
    "The file is encrypted with your passphrase; without it, or the recovery code shown next, nobody can "
    "read the keys. There is no way round that.",
    "Make the file",
)
_OPEN = (
    "Unlock the encrypted file",
    "Its passphrase, or the recovery code that was shown when it was made.",
    "Unlock",
)
_CHANGE = (
    "Change the passphrase",
    "The new one opens the file from now on, and so does a new recovery code; the old words open nothing any more.",
    "Change it",
)


class PassphraseSheet(Sheet):
    """Asks for the passphrase of the encrypted file: twice when it is a new one. Accepted once the file is open."""

    def __init__(self, host: QWidget, theme: Theme, vault: Vault, *, change: bool = False) -> None:
        state = vault.state
        opens = bool(state and state.is_file and state.kind == "locked")
        self._new, self._change = not opens and not change, change
        title, text, verb = _CHANGE if change else _NEW if self._new else _OPEN
        super().__init__(host, theme, title=title, width=480)
        self._vault, self._busy = vault, False
        self.body.addWidget(Label(text, "muted", wrap=True))
        self.now = passphrase_field(self.tr("Passphrase or recovery code"))
        self.passphrase = passphrase_field("New passphrase" if change else "Passphrase")
        self.again = passphrase_field("New passphrase again" if change else "Passphrase again")
        self.now.setVisible(change)
        self.again.setVisible(self._new or change)
        self.problem = Label("", "small", wrap=True)
        self.problem.setProperty("role", "bad")
        self.body.addSpacing(4)
        for widget in (self.now, self.passphrase, self.again, self.problem):
            self.body.addWidget(widget)
            if isinstance(widget, Field):
                widget.textChanged.connect(self._look)
        self.go = Button(verb, "primary").on(self._go)
        self.go.setDefault(True)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.go)
        done = vault.door.passphrase_changed if change else vault.unlocked
        done.connect(self.accept)
        vault.unlock_refused.connect(self._refused)
        self.finished.connect(lambda _: self._forget())
        self._look()

    def open(self) -> None:
        super().open()
        (self.now if self._change else self.passphrase).setFocus()

    def _look(self) -> None:
        words, twice = self.passphrase.text(), self._new or self._change
        differs = twice and bool(self.again.text()) and words != self.again.text()
        short = twice and 0 < len(words) < SHORTEST
        self._say("The two differ." if differs else f"At least {SHORTEST} characters." if short else "")
        enough = len(words) >= SHORTEST and words == self.again.text() if twice else bool(words)
        self.go.setEnabled(enough and not self._busy and (bool(self.now.text()) or not self._change))

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        announce(self.problem, sentence)

    def _go(self) -> None:
        if not self.go.isEnabled():
            return
        self._set_busy(True)
        words = self.passphrase.text()
        if self._change:
            self._vault.door.change_passphrase(self.now.text(), words)
        elif self._new:
            self._vault.door.create_file(words)
        else:
            self._vault.door.unlock(words)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.go.setEnabled(not busy)
        for field in (self.now, self.passphrase, self.again):
            field.setEnabled(not busy)

    def _refused(self, sentence: str) -> None:
        if self._busy:
            self._set_busy(False)
            self._say(sentence)
            (self.now if self._change else self.passphrase).setFocus()

    def _forget(self) -> None:
        for field in (self.now, self.passphrase, self.again):
            field.blockSignals(True)
            field.clear()


class RecoverySheet(Sheet):
    """Shows the recovery code, once, and asks whether it was written down."""

    def __init__(self, host: QWidget, theme: Theme, code: str, clipboard: SecretClipboard) -> None:
        super().__init__(host, theme, title="Your recovery code", width=520)
        self.body.addWidget(
            Label(
                self.tr("It opens the file when the passphrase is lost. It is shown now and never again."),
                "muted",
                wrap=True,
            )
        )
        self.code = Label(code, "mono", wrap=True).selectable()
        self.code.setAccessibleName(self.tr("Recovery code"))
        self.body.addSpacing(4)
        self.body.addWidget(self.code)
        self.body.addSpacing(4)
        self.noted = Check(self.tr("I have written it down"))
        self.body.addWidget(self.noted)
        self.done_button = Button(self.tr("Done"), "primary").on(self.accept)
        self.done_button.setEnabled(False)
        self.noted.toggled.connect(self.done_button.setEnabled)
        self.footer.addWidget(Button(self.tr("Copy")).on(lambda: clipboard.put(Secret(code))))
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
