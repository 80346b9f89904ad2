"""All that is known of one key, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout

from vibedesk.amounts import duration, money
from vibedesk.engine.types import ApiKey
from vibedesk.state.check import SHORT, CheckRun
from vibedesk.state.key_rows import words_remembered
from vibedesk.state.vault import LOCAL, KeyRow, Vault
from vibedesk.state.words import ago, moment
from vibedesk.ui.check import Stages
from vibedesk.ui.facts import Facts
from vibedesk.ui.limits import limit_words
from vibedesk.ui.outcome import OutcomeCard, fix_of
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Elided, Field, Label, Scroll, Tile, bare


class KeyPanel(QFrame):
    """Beside the list. `row` is the key shown, None = nothing."""

    copy_wanted = Signal(object)
    replace_wanted = Signal(object)
    limits_wanted = Signal(object)
    closed = Signal()

    def __init__(self, vault: Vault, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._vault, self._theme = vault, theme
        self.row: KeyRow | None = None
        outer: QVBoxLayout = bare(QVBoxLayout(self))
        scroll = Scroll(margins=(20, 16, 20, 20), spacing=8)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer.addWidget(scroll)
        self._column = scroll.column
        self.back = Button(self.tr("All keys"), "link").on(self.closed.emit)
        self._column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addLayout(self._head())
        self._column.addSpacing(4)
        self._column.addLayout(self._buttons())
        self._column.addSpacing(8)
        self._build_check()
        self._build_limits()
        self._build_passport()
        self._build_place()
        self._column.addStretch(1)

    def show_row(self, row: KeyRow | None) -> None:
        """Shows this key, or nothing."""
        moved = row is None or self.row is None or row.id != self.row.id
        self.row = row
        if row is None:
            return
        if moved:
            self._stop_renaming()
        kept, local = row.source == "vault", row.id == LOCAL
        self.tile.setVisible(row.provider is not None)
        if row.provider is not None:
            self.tile.set(row.provider.letter, row.provider.colour)
        self.label.setText(row.label)
        self.hint.setText(
            row.hint or (row.provider.name if row.provider else "On this machine, without a key")
        )
        self._label_check(row)
        self.replace.setVisible(kept)
        self.copy.setVisible(not local)
        self.delete.setVisible(kept)
        self.more.setVisible(not local)
        self.keep.setVisible(not kept and not local)
        self._show_check(self._vault.checks.run_of(row.id), row)
        self._show_limits(row)
        self._show_passport(row)
        self._show_place(row)

    # Its parts

    def _head(self) -> QHBoxLayout:
        row: QHBoxLayout = bare(QHBoxLayout(), 8)
        self.tile = Tile("?", "gray", 28)
        self.label, self.hint = Elided("", "title").wide(), Elided("", "hint").wide()
        self.name = Field(name=self.tr("Label"))
        self.name.hide()
        self.name.returnPressed.connect(self._rename)
        self.name.editingFinished.connect(self._stop_renaming)
        words: QVBoxLayout = bare(QVBoxLayout(), 0)
        for widget in (self.label, self.name, self.hint):
            words.addWidget(widget)
        row.addWidget(self.tile, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return row

    def _buttons(self) -> QHBoxLayout:
        row: QHBoxLayout = bare(QHBoxLayout(), 6)
        self.check = Button(self.tr("Check"), "primary").on(self._check)
        self.replace = Button(self.tr("Replace…")).on(lambda: self.replace_wanted.emit(self.row))
        self.copy = Button(self.tr("Copy")).on(lambda: self.copy_wanted.emit(self.row))
        self.keep = Button(self.tr("Keep in the vault")).on(self._import)
        self.delete = Button(self.tr("Delete"), "quiet").on(self._delete)
        self.more = (
            Button("", "quiet", self._theme.icon("dots-three", size=16)).named("More").on(self._open_menu)
        )
        for button in (self.check, self.replace, self.copy, self.keep, self.delete, self.more):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _build_check(self) -> None:
        self.when = Label("", "caption")
        self.outcome = OutcomeCard()
        self.stages = Stages(self._theme, narrow=True)
        for widget in (self.when, self.outcome, self.stages):
            self._column.addWidget(widget)

    def _build_limits(self) -> None:
        self._column.addSpacing(8)
        self.limits_title = Label(self.tr("Your limits"), "caption")
        self.limits = Button("").on(lambda: self.limits_wanted.emit(self.row))
        self.note = Label("", "muted", wrap=True)
        self._column.addWidget(self.limits_title)
        self._column.addWidget(self.limits, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.note)

    def _build_passport(self) -> None:
        self._column.addSpacing(8)
        self.passport_title = Label(self.tr("What is known of it"), "caption")
        self.passport = Facts()
        self._column.addWidget(self.passport_title)
        self._column.addWidget(self.passport)

    def _build_place(self) -> None:
        self._column.addSpacing(8)
        self.place_title = Label(self.tr("Where it is kept"), "caption")
        self.place, self.origin = Label("", wrap=True), Label("", "mono", wrap=True).selectable()
        for widget in (self.place_title, self.place, self.origin):
            self._column.addWidget(widget)

    # What it shows

    def _label_check(self, row: KeyRow) -> None:
        if row.id == LOCAL:
            self.check.setText(self.tr("Look for servers"))
            self.check.setEnabled(True)
        else:
            self.check.setText("Stop" if row.checking else "Check")
            self.check.setEnabled(row.provider is not None)

    def _show_check(self, run: CheckRun | None, row: KeyRow) -> None:
        self.stages.setVisible(run is not None)
        self.stages.show_run(run)
        message, fix, verdict = self._said(run, row)
        button, act = self._fix(verdict, run.nuance if run else "", row) if message else ("", None)
        self.outcome.say(message, fix, row.role, button, act)
        self.when.setVisible(row.key is not None)
        self.when.setText(self._when(run, row.key))

    def _when(self, run: CheckRun | None, key: ApiKey | None) -> str:
        if run is not None and run.at is not None:
            spent = f" · {money(run.spent_usd)}" if run.spent_usd else ""
            return f"Last check · {moment(run.at)} · {duration(run.took_s)}{spent}"
        if run is not None:
            return "Checking…"
        if key is not None and key.checked is not None:
            return f"Last heard · {moment(key.checked)} · {SHORT.get(key.state, key.state)}"
        return "Not checked yet"

    def _said(self, run: CheckRun | None, row: KeyRow) -> tuple[str, str, str]:
        """Sentence, fix and verdict of the last check, where it was not all well."""
        if run is not None:
            wrong = not run.running and run.verdict != "ready"
            return (run.message, run.fix, run.verdict) if wrong else ("", "", "")
        if row.key is None or row.provider is None or not row.key.enabled:
            return "", "", ""
        return (*words_remembered(row.key, row.provider), row.key.state)

    def _fix(self, verdict: str, nuance: str, row: KeyRow) -> tuple[str, Callable[[], object] | None]:
        if row.provider is None:
            return "", None
        return fix_of(verdict, nuance, row.provider, ask=lambda: self._vault.check(row.id, answer=True))

    def _show_limits(self, row: KeyRow) -> None:
        key = row.key
        for widget in (self.limits_title, self.limits):
            widget.setVisible(key is not None)
        if key is not None:
            words = limit_words(key.limits)
            shown = " · ".join(words[:2]) + (f" · {len(words) - 2} more" if len(words) > 2 else "")
            self.limits.setText(shown or "No limits…")
            self.limits.setToolTip("\n".join(words))
            self.limits.setAccessibleName("Limits: " + (", ".join(words) or "none"))
        self.note.setText(key.note if key else "")
        self.note.setVisible(bool(self.note.text()))

    def _show_passport(self, row: KeyRow) -> None:
        key, run = row.key, self._vault.checks.run_of(row.id)
        facts: list[tuple[str, str]] = []
        if key is not None:
            learnt = dict(run.passport) if run and run.passport else key.passport
            facts = [(name[:1].upper() + name[1:], words) for name, words in learnt.items()]
            facts += [("Account", key.scope)] if key.scope else []
            facts += [("Added", moment(key.created))] if key.created else []
            facts += [("Last used", ago(key.last_used))]
        self.passport.show_facts(facts)
        for widget in (self.passport_title, self.passport):
            widget.setVisible(bool(facts))

    def _show_place(self, row: KeyRow) -> None:
        state = self._vault.state
        if row.id == LOCAL:
            names = ", ".join(provider.name for provider in self._vault.servers.providers())
            self.place_title.setText(self.tr("What is looked for"))
            self.place.setText(f"{names}, at their usual ports on this machine. Nothing else is asked.")
            self.origin.setText("")
        else:
            self.place_title.setText(self.tr("Where it is kept"))
            where = {
                "vault": state.where if state and state.where else "The vault",
                "environment": "The environment",
            }
            self.place.setText(f"{where.get(row.source, row.source)}. Sent to this address and nowhere else:")
            self.origin.setText(row.key.origin if row.key else "")
        self.origin.setVisible(bool(self.origin.text()))

    # What is asked of it

    def _check(self) -> None:
        if self.row is None:
            return
        if self.row.id == LOCAL:
            self._vault.servers.look_for()
        elif self.row.checking:
            self._vault.checks.stop(self.row.id)
        else:
            self._vault.check(self.row.id)

    def _import(self) -> None:
        if self.row is not None:
            self._vault.import_keys([self.row.id])

    def _delete(self) -> None:
        if self.row is not None:
            self._vault.delete(self.row.id)

    def _open_menu(self) -> None:
        if self.row is None or self.row.key is None:
            return
        key, menu = self.row.key, QMenu(self)
        if self.row.provider is not None:
            estimate = self._vault.checks.estimate(self.row.provider)
            price = money(estimate.usd, estimated=True) if estimate else "unknown cost"
            ask = menu.addAction(f"Check with one real answer ({price})")
            ask.triggered.connect(lambda: self._vault.check(key.id, answer=True))
        if key.source == "vault":
            self._add_own(menu, key)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _add_own(self, menu: QMenu, key: ApiKey) -> None:
        """What can be done with a key of the vault alone."""
        family = [one.id for one in self._vault.siblings(key.id)]
        place = family.index(key.id) if key.id in family else 0
        menu.addSeparator()
        menu.addAction(self.tr("Rename"), self._start_renaming)
        word = "Switch off" if key.enabled else "Switch on"
        menu.addAction(word, lambda: self._vault.set_enabled(key.id, not key.enabled))
        menu.addSeparator()
        earlier = menu.addAction(self.tr("Try earlier\tAlt+Up"), lambda: self._vault.move_by(key.id, -1))
        later = menu.addAction(self.tr("Try later\tAlt+Down"), lambda: self._vault.move_by(key.id, 1))
        earlier.setEnabled(place > 0)
        later.setEnabled(place < len(family) - 1)

    def _start_renaming(self) -> None:
        self.name.setText(self.row.label if self.row else "")
        self.label.hide()
        self.name.show()
        self.name.setFocus()
        self.name.selectAll()

    def _rename(self) -> None:
        if self.row is not None and self.name.isVisible():
            self._vault.rename(self.row.id, self.name.text())
        self._stop_renaming()

    def _stop_renaming(self) -> None:
        self.name.hide()
        self.label.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.name.isVisible():
            self._stop_renaming()
            return
        super().keyPressEvent(event)
