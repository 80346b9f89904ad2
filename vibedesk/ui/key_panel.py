"""All that is known of one key, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout

from vibedesk.engine.types import ApiKey
from vibedesk.state.check import CheckRun
from vibedesk.state.vault import LOCAL, KeyRow, Vault
from vibedesk.state.words import moment
from vibedesk.ui.check import Stages
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Elided, Field, Label, Scroll, Tile, bare, set_state
from vibedesk.wording import duration


class KeyPanel(QFrame):
    """Beside the list. `row` is the key shown, None = nothing."""

    copy_wanted = Signal(object)
    replace_wanted = Signal(object)
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
        self.back = Button("All keys", "link").on(self.closed.emit)
        self._column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addLayout(self._head())
        self._column.addSpacing(4)
        self._column.addLayout(self._buttons())
        self._column.addSpacing(8)
        self._build_check()
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
        self.more.setVisible(kept)
        self.keep.setVisible(not kept and not local)
        self._show_check(self._vault.checks.run_of(row.id), row.key)
        self._show_place(row)

    # Its parts

    def _head(self) -> QHBoxLayout:
        row: QHBoxLayout = bare(QHBoxLayout(), 8)
        self.tile = Tile("?", "gray", 28)
        self.label, self.hint = Elided("", "title").wide(), Elided("", "hint").wide()
        self.name = Field(name="Label")
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
        self.check = Button("Check", "primary").on(self._check)
        self.replace = Button("Replace…").on(lambda: self.replace_wanted.emit(self.row))
        self.copy = Button("Copy").on(lambda: self.copy_wanted.emit(self.row))
        self.keep = Button("Keep in the vault").on(self._import)
        self.delete = Button("Delete", "quiet").on(self._delete)
        self.more = (
            Button("", "quiet", self._theme.icon("dots-three", size=16)).named("More").on(self._open_menu)
        )
        for button in (self.check, self.replace, self.copy, self.keep, self.delete, self.more):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _build_check(self) -> None:
        self.when = Label("", "caption")
        self.message, self.fix = Label("", wrap=True), Label("", "muted", wrap=True)
        self.stages = Stages(self._theme, narrow=True)
        for widget in (self.when, self.message, self.fix, self.stages):
            self._column.addWidget(widget)

    def _build_place(self) -> None:
        self._column.addSpacing(8)
        self.place_title = Label("Where it is kept", "caption")
        self.place, self.origin = Label("", wrap=True), Label("", "mono", wrap=True).selectable()
        for widget in (self.place_title, self.place, self.origin):
            self._column.addWidget(widget)

    # What it shows

    def _label_check(self, row: KeyRow) -> None:
        if row.id == LOCAL:
            self.check.setText("Look for servers")
            self.check.setEnabled(True)
        else:
            self.check.setText("Stop" if row.checking else "Check")
            self.check.setEnabled(row.provider is not None)

    def _show_check(self, run: CheckRun | None, key: ApiKey | None) -> None:
        self.stages.setVisible(run is not None)
        self.stages.show_run(run)
        self.message.setText(run.message if run and run.verdict != "ready" else "")
        self.fix.setText(run.fix if run else "")
        set_state(self.message, "role", run.role if run else "neutral")
        self.message.setVisible(bool(self.message.text()))
        self.fix.setVisible(bool(self.fix.text()))
        self.when.setVisible(key is not None)
        if run is not None and run.at is not None:
            self.when.setText(f"Last check · {moment(run.at)} · {duration(run.took_s)}")
        elif run is not None:
            self.when.setText("Checking…")
        elif key is not None and key.checked is not None:
            self.when.setText(f"Last check · {moment(key.checked)}")
        else:
            self.when.setText("Not checked yet")

    def _show_place(self, row: KeyRow) -> None:
        state = self._vault.state
        if row.id == LOCAL:
            names = ", ".join(provider.name for provider in self._vault.local_providers())
            self.place_title.setText("What is looked for")
            self.place.setText(f"{names}, at their usual ports on this machine. Nothing else is asked.")
            self.origin.setText("")
        else:
            self.place_title.setText("Where it is kept")
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
            self._vault.look_for_local()
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
        menu.addAction("Rename", self._start_renaming)
        word = "Switch off" if key.enabled else "Switch on"
        menu.addAction(word, lambda: self._vault.set_enabled(key.id, not key.enabled))
        menu.addSeparator()
        menu.addAction("Try earlier", lambda: self._vault.move(key.id, max(0, key.position - 1)))
        menu.addAction("Try later", lambda: self._vault.move(key.id, key.position + 1))
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

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
