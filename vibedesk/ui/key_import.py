"""Bringing keys that lie about into the vault: a masked list of them, and what stays readable where they were."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vibedesk.state.vault import Saved, Vault
from vibedesk.ui.key_list import Choosable, KeyList
from vibedesk.ui.outcome import OutcomeCard
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.widgets import Button, Label


class ImportSheet(Sheet):
    """Keys of the environment, of .dev.vars and .env files and of `llm`, offered for the vault, masked."""

    def __init__(self, host: QWidget, theme: Theme, vault: Vault) -> None:
        super().__init__(host, theme, title="Import keys", width=640)
        self._vault, self._theme = vault, theme
        self._offered: tuple[str, ...] = ()
        self._going = self._done = False
        self.intro = Label(
            self.tr(
                "Found in the environment, in .dev.vars and .env files, and in llm’s keys.json. "
                "Nothing is changed there."
            ),
            "muted",
            wrap=True,
        )
        self.list = KeyList()
        self.list.changed.connect(self._show_count)
        self.none = Label(self.tr("No keys but those the vault holds already."), wrap=True)
        self.clear = Label("", "small", wrap=True).selectable()
        self.outcome = OutcomeCard()
        self.cancel = Button(self.tr("Cancel")).on(self.reject)
        self.go = Button(self.tr("Import"), "primary").on(self._go)
        self.go.setDefault(True)
        for widget in (self.intro, self.list, self.none, self.clear, self.outcome):
            self.body.addWidget(widget)
        self.footer.addStretch(1)
        self.footer.addWidget(self.cancel)
        self.footer.addWidget(self.go)
        vault.saved.connect(self._saved)
        vault.refused.connect(self._refused)
        vault.finds.changed.connect(self._show)
        self._show()
        vault.finds.look()

    def _show(self) -> None:
        if self._going or self._done:
            return
        keys = self._vault.importable()
        if tuple(key.id for key in keys) != self._offered or not keys:
            self._offered = tuple(key.id for key in keys)
            self.list.show_keys(
                [
                    Choosable(
                        id=key.id,
                        provider=self._vault.provider(key.provider),
                        name=key.label,
                        hint=key.hint,
                        source=key.source,
                    )
                    for key in keys
                ]
            )
        self.none.setVisible(not keys)
        self._show_clear(self.tr("Readable by every program that runs as you: "))
        if self._vault.finds.problem:
            self.outcome.say(self._vault.finds.problem, role="warn")

    def _show_clear(self, before: str) -> None:
        files = self._vault.finds.in_the_clear()
        named = ", ".join(f"{file.path} ({file.keys} key{'s' if file.keys != 1 else ''})" for file in files)
        self.clear.setText(f"{before}{named}." if files else "")
        self.clear.setVisible(bool(files))

    def _show_count(self) -> None:
        count = len(self.list.chosen())
        self.go.setText(f"Import {count} keys" if count != 1 else "Import 1 key")
        self.go.setEnabled(count > 0 and not self._going)

    def _go(self) -> None:
        if self._done:
            self.accept()
        elif self._vault.door.wants_words:
            sheet = PassphraseSheet(self.host(), self._theme, self._vault)
            sheet.accepted.connect(self._import)
            sheet.open()
        else:
            self._import()

    def _import(self) -> None:
        self._going = True
        self.go.setEnabled(False)
        self.outcome.say("")
        self._vault.import_keys(self.list.chosen())

    def _saved(self, saved: Saved) -> None:
        if not self._going:
            return
        self._going, self._done = False, True
        count = len(saved.keys)
        self.heading.setText(f"{count} keys imported" if count != 1 else "1 key imported")
        self.intro.setText(f"Kept in {saved.where} and read back from there. {saved.models} models unlocked.")
        self.list.hide()
        self._show_clear(
            self.tr(
                "These files still hold keys in the clear; delete them there if nothing else needs them: "
            )
        )
        self.cancel.hide()
        self.go.setText(self.tr("Done"))
        self.go.setEnabled(True)
        self.go.setFocus()

    def _refused(self, sentence: str) -> None:
        if self._going:
            self._going = False
            self.outcome.say(sentence, self.tr("What was imported before this stays; the rest is untouched."))
            self._offered = ()
            self._show()
