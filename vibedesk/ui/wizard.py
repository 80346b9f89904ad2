"""Adding a key: paste anything, see whose it is, watch it being checked, say where it is kept."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from vibedesk.engine.types import Provider
from vibedesk.state.check import CheckRun
from vibedesk.state.vault import NEW, KeyRow, Saved, Vault
from vibedesk.ui.check import Stages
from vibedesk.ui.key_list import Choosable, KeyList
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.widgets import Button, Field, KeyField, Label, Tile, bare, set_state

SETTLE_MS = 400
"""How long typing must rest before a key is looked at; a paste is one change."""
GOOD = {"ready", "rate_limited", "no_credit", "spend_limit", "restricted", "unknown"}
"""Verdicts after which keeping the key makes sense."""


class Wizard(Sheet):
    """`first_message(provider id)` when the person wants to try it at once. `replacing` gives a kept key a new secret.

    A key that can only be one provider's is checked as soon as it is pasted; a guess is checked when it is confirmed,
    so that no key is shown to somebody else's server.
    """

    first_message = Signal(str)

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        vault: Vault,
        *,
        provider: Provider | None = None,
        replacing: KeyRow | None = None,
    ) -> None:
        title = f"Replace “{replacing.label}”" if replacing else "Add a key"
        super().__init__(host, theme, title=title, width=640)
        self._vault, self._theme, self._replacing = vault, theme, replacing
        self._wanted = replacing.provider if replacing else provider
        self._provider: Provider | None = self._wanted
        self._found: tuple[Any, ...] = ()
        self._skipped = self._saving = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._read)
        self._build()
        self.field.textChanged.connect(self._text_changed)
        vault.checks.changed.connect(self._check_changed)
        vault.saved.connect(self._saved)
        vault.refused.connect(self._refused)
        vault.changed.connect(self._show_place)
        self.finished.connect(lambda _: self._forget())
        self._show_place()
        self._show_provider()
        self._show_run(None)

    def open(self) -> None:
        super().open()
        self.field.setFocus()

    # What it is made of

    def _build(self) -> None:
        text = "Paste a key, an export line or a whole .env. Nothing is saved before you say so."
        self.body.addWidget(Label(text, "muted", wrap=True))
        self.body.addSpacing(8)
        self.field = KeyField(self._wanted.key_placeholder if self._wanted else "")
        self.body.addWidget(self.field)
        self.body.addLayout(self._provider_row())
        self.steps = Label("", "muted", wrap=True)
        self.link = Button("", "link").on(self._open_link)
        self.body.addWidget(self.steps)
        self.body.addWidget(self.link)
        self.stages = Stages(self._theme)
        self.keys = KeyList()
        self.keys.changed.connect(self._show_buttons)
        self.message = Label("", wrap=True)
        self.fix = Label("", "muted", wrap=True)
        for widget in (self.stages, self.keys, self.message, self.fix):
            self.body.addWidget(widget)
            widget.hide()
        self.below = self._label_row()
        self.body.addWidget(self.below)
        self._build_footer()

    def _provider_row(self) -> QHBoxLayout:
        row: QHBoxLayout = bare(QHBoxLayout(), 8)
        row.setContentsMargins(0, 4, 0, 4)
        self.tile = Tile("?", "gray")
        self.provider_name, self.how = Label("", "strong"), Label("", "muted", wrap=True)
        self.change = Button("", "link").on(self._pick_provider)
        row.addWidget(self.tile)
        row.addWidget(self.provider_name)
        row.addWidget(self.how, 1)
        row.addWidget(self.change)
        return row

    def _label_row(self) -> QWidget:
        below = QWidget()
        grid: QGridLayout = bare(QGridLayout(below))
        grid.setContentsMargins(0, 12, 0, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        self.label = Field("work, personal, …", name="Label")
        self.kept_in = Field(name="Kept in")
        self.kept_in.setReadOnly(True)
        for column, (title, field) in enumerate((("Label", self.label), ("Kept in", self.kept_in))):
            caption = Label(title, "small")
            caption.setBuddy(field)
            grid.addWidget(caption, 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
        return below

    def _build_footer(self) -> None:
        self.skip = Button("Skip the check", "quiet").on(self._skip)
        self.another = Button("Add another", "quiet").on(self._again)
        self.cancel = Button("Cancel").on(self.reject)
        self.save = Button("Save key", "primary").on(self._go)
        self.save.setDefault(True)
        self.footer.addStretch(1)
        for button in (self.another, self.skip, self.cancel, self.save):
            self.footer.addWidget(button)
        self.another.hide()

    # Reading what was pasted

    def _text_changed(self) -> None:
        self._vault.checks.forget(NEW)
        self.stages.hide()
        self._skipped = False
        self._timer.start(SETTLE_MS)

    def _read(self) -> None:
        pasted = self.field.pasted()
        self._found = self._vault.read(pasted) if pasted.strip() else ()
        self.keys.setVisible(len(self._found) > 1)
        self.message.hide()
        self.fix.hide()
        if len(self._found) > 1 and self._replacing is None:
            self._offer_all()
        elif self._found:
            self._offer_one(self._found[0])
        elif pasted.strip():
            self._say(self._vault.why_not(pasted), "", "bad")
        else:
            self._provider = self._wanted
        self._show_provider()
        self._show_buttons()

    def _offer_all(self) -> None:
        self.keys.show_keys(
            [
                Choosable(
                    id=str(number),
                    provider=self._vault.provider(key.providers[0]) if key.providers else None,
                    name=key.name,
                    hint=self._vault.hint(key.secret),
                )
                for number, key in enumerate(self._found)
            ]
        )

    def _offer_one(self, key: Any) -> None:
        guesses = [self._vault.provider(name) for name in key.providers]
        if self._wanted is None:
            self._provider = guesses[0] if guesses else None
        elif guesses and self._wanted.id not in key.providers:
            other = guesses[0].name if guesses[0] else key.providers[0]
            self._say(f"This has the shape of a key of {other}, not of {self._wanted.name}.", "", "warn")
        if not self.label.text():
            self.label.setText(key.name or (self._provider.name if self._provider else ""))
        if len(guesses) == 1 and self._provider is guesses[0]:
            self._check()

    # The check

    def _check(self) -> None:
        if self._provider is not None and len(self._found) == 1:
            self._skipped = False
            self._vault.try_out(self._provider, self._found[0].secret)

    def _check_changed(self, key_id: str) -> None:
        if key_id == NEW and not self._saving:
            self._show_run(self._run())

    def _run(self) -> CheckRun | None:
        return self._vault.checks.run_of(NEW)

    def _show_run(self, run: CheckRun | None) -> None:
        self.stages.setVisible(run is not None)
        self.stages.show_run(run)
        if run is not None and not run.running and run.verdict != "ready":
            self._say(run.message, run.fix, run.role)
        elif run is not None:
            self.message.hide()
            self.fix.hide()
        self._show_buttons()

    def _skip(self) -> None:
        self._vault.checks.forget(NEW)
        self._skipped = True
        self._show_run(None)
        self.message.hide()
        self.fix.hide()
        self.save.setFocus()

    # What the buttons say

    def _show_buttons(self) -> None:
        run, several = self._run(), len(self._found) > 1
        good = run is not None and run.verdict in GOOD
        ready = bool(self._found) and (several or self._provider is not None)
        self.skip.setVisible(ready and not several and not good and not self._skipped)
        self.below.setVisible(ready and not several and self._replacing is None)
        self.steps.setVisible(not self._found and self._provider is not None)
        self.link.setVisible(self.steps.isVisibleTo(self) and bool(self._provider and self._provider.key_url))
        if several:
            count = len(self.keys.chosen())
            self.save.setText(f"Save {count} keys" if count != 1 else "Save 1 key")
            self.save.setEnabled(count > 0)
        elif good or self._skipped:
            self.save.setText("Replace" if self._replacing else "Save key")
            self.save.setEnabled(ready)
        elif run is not None and not run.running:
            self.save.setText("Check again")
            self.save.setEnabled(ready)
        else:
            self.save.setText("Check" if ready and run is None else "Save key")
            self.save.setEnabled(ready and run is None)

    def _show_provider(self) -> None:
        several, provider = len(self._found) > 1, self._provider
        known = provider is not None and not several
        for widget in (self.tile, self.provider_name):
            widget.setVisible(known)
        if provider is not None:
            self.tile.set(provider.letter, provider.colour)
            self.provider_name.setText(provider.name)
            self.steps.setText(provider.key_steps)
            self.link.setText(f"Open {provider.key_url.partition('//')[2]}")
        self.how.setText(self._how())
        self.change.setVisible(self._replacing is None and not several)
        self.change.setText(f"Not {provider.name}?" if provider and self._found else "Where to get one")
        if provider is None and self._found:
            self.change.setText("Choose the provider")

    def _how(self) -> str:
        if len(self._found) > 1:
            return f"{len(self._found)} keys found"
        if not self._found:
            return "" if self._provider else "The provider is named from the shape of the key."
        guesses = self._found[0].providers
        if self._provider is None:
            return "Nobody’s shape that is known here. Whose is it?"
        if self._provider.id not in guesses:
            return "chosen by you"
        return "recognised by its shape" if len(guesses) == 1 else "the likeliest of several, please confirm"

    def _show_place(self) -> None:
        state = self._vault.state
        if state is None:
            self.kept_in.setText("…")
        elif state.kind == "ready":
            self.kept_in.setText(state.where)
        else:
            self.kept_in.setText(
                "Encrypted file, to be unlocked" if self._vault.is_locked else "Encrypted file, new"
            )

    def _say(self, message: str, fix: str, role: str) -> None:
        self.message.setText(message)
        set_state(self.message, "role", role)
        self.message.show()
        self.fix.setText(fix)
        self.fix.setVisible(bool(fix))

    # Choosing, saving

    def _pick_provider(self) -> None:
        menu = QMenu(self)
        for provider in self._vault.providers():
            menu.addAction(provider.name, lambda chosen=provider: self._choose(chosen))
        menu.popup(self.change.mapToGlobal(self.change.rect().bottomLeft()))

    def _choose(self, provider: Provider) -> None:
        self._vault.checks.forget(NEW)
        if self._found and self.label.text() in ("", self._provider.name if self._provider else ""):
            self.label.setText(provider.name)
        self._provider, self._skipped = provider, False
        if not self._found:
            self._wanted = provider
            self.field.setPlaceholderText(provider.key_placeholder)
        self.message.hide()
        self.fix.hide()
        self._show_provider()
        self._show_run(None)

    def _open_link(self) -> None:
        if self._provider is not None:
            QDesktopServices.openUrl(QUrl(self._provider.key_url))

    def _go(self) -> None:
        if self._saving or not self.save.isEnabled():
            return
        if self.save.text() in ("Check", "Check again"):
            self._check()
        elif self._saved_keys_shown():
            self._send_first()
        elif self._vault.state is not None and self._vault.state.kind != "ready" and self._needs_passphrase():
            sheet = PassphraseSheet(self.host(), self._theme, self._vault)
            sheet.accepted.connect(self._keep)
            sheet.open()
        else:
            self._keep()

    def _needs_passphrase(self) -> bool:
        return self._vault.can_ask and (self._vault.is_locked or self._vault.needs_file)

    def _keep(self) -> None:
        self._saving = True
        self.save.setEnabled(False)
        if self._replacing is not None:
            self._vault.replace(self._replacing.id, self._found[0].secret)
            self.accept()
            return
        chosen = (
            [self._found[int(number)] for number in self.keys.chosen()]
            if len(self._found) > 1
            else self._found
        )
        entries = []
        for key in chosen:
            single = len(self._found) == 1 and self._provider is not None
            provider = self._provider if single else self._vault.provider(key.providers[0])
            if provider is not None:
                label = self.label.text().strip() if single else key.name
                entries.append((provider.id, key.secret, label or provider.name))
        self._vault.add(entries)

    def _refused(self, sentence: str) -> None:
        if self._saving:
            self._saving = False
            self._say(sentence, "Nothing was kept, and what you pasted is still here.", "bad")
            self._show_buttons()

    # Afterwards

    def _saved(self, saved: Saved) -> None:
        if not self._saving:
            return
        self._saving = False
        self._saved_keys = saved
        self._forget()
        self.heading.setText("Key saved" if len(saved.keys) == 1 else f"{len(saved.keys)} keys saved")
        for widget in (
            self.field,
            self.stages,
            self.keys,
            self.below,
            self.fix,
            self.steps,
            self.link,
            self.change,
        ):
            widget.hide()
        self.skip.hide()
        self.tile.setVisible(len(saved.keys) == 1)
        self.how.setText(f"kept in {saved.where}")
        self._say(f"{saved.models} models unlocked.", "", "ok")
        self.another.show()
        self.cancel.setText("Done")
        self.save.setText("Send a first message")
        self.save.setEnabled(True)
        self.save.setFocus()

    def _saved_keys_shown(self) -> bool:
        return getattr(self, "_saved_keys", None) is not None

    def _send_first(self) -> None:
        provider = self._saved_keys.keys[0].provider
        self.accept()
        self.first_message.emit(provider)

    def _again(self) -> None:
        self.reject()
        Wizard(self.host(), self._theme, self._vault).open()

    def _forget(self) -> None:
        """Drops the key from the screen; the field keeps no way to read it back."""
        self._timer.stop()
        self._vault.checks.forget(NEW)
        self._found = ()
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)


class ImportSheet(Sheet):
    """Keys of the environment and of files, offered for the vault, masked."""

    def __init__(self, host: QWidget, theme: Theme, vault: Vault) -> None:
        super().__init__(host, theme, title="Import keys", width=640)
        self._vault, self._theme = vault, theme
        text = "Found in the environment and in .dev.vars or .env files. They work where they are, too."
        self.body.addWidget(Label(text, "muted", wrap=True))
        self.list = KeyList()
        self.list.changed.connect(self._show_count)
        self.problem = Label("", "small", wrap=True)
        self.problem.hide()
        box = QVBoxLayout()
        box.addWidget(self.list)
        self.body.addLayout(box)
        self.body.addWidget(self.problem)
        self.footer.addStretch(1)
        self.footer.addWidget(Button("Use them where they are", "quiet").on(self.reject))
        self.go = Button("Import", "primary").on(self._go)
        self.footer.addWidget(self.go)
        vault.saved.connect(lambda _: self.accept())
        vault.refused.connect(self._refused)
        self.list.show_keys(
            [
                Choosable(
                    id=key.id,
                    provider=vault.provider(key.provider),
                    name=key.label,
                    hint=key.hint,
                    source=key.source,
                )
                for key in vault.importable()
            ]
        )

    def _show_count(self) -> None:
        if hasattr(self, "go"):
            count = len(self.list.chosen())
            self.go.setText(f"Import {count} keys" if count != 1 else "Import 1 key")
            self.go.setEnabled(count > 0)

    def _go(self) -> None:
        state = self._vault.state
        if state is not None and state.kind != "ready" and self._vault.can_ask:
            sheet = PassphraseSheet(self.host(), self._theme, self._vault)
            sheet.accepted.connect(lambda: self._vault.import_keys(self.list.chosen()))
            sheet.open()
        else:
            self._vault.import_keys(self.list.chosen())

    def _refused(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.show()
