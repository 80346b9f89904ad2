"""The first start: three ways to begin, and the keys that are lying about already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Card, Chip, Label, Mark, Scroll, TopBar, bare

if TYPE_CHECKING:  # painted before the rest is imported
    from vibedesk.engine.types import ApiKey
    from vibedesk.state.vault import Vault

NARROW = 720


class WelcomePage(QWidget):
    """Three cards. Nothing is looked for on this machine or elsewhere before a button is pressed.

    It can be shown before there is a vault: what is pressed before `take` is done then.
    `pasted(text)` when something is pasted over them.
    """

    key_wanted = Signal()
    pasted = Signal(str)
    import_wanted = Signal()
    begin_wanted = Signal()
    demo_wanted = Signal()
    local_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._vault: Vault | None = None
        self._pressed: Callable[[], object] | None = None
        column: QVBoxLayout = bare(QVBoxLayout(self))
        column.addWidget(TopBar("Welcome"))
        scroll = Scroll(margins=(32, 24, 32, 24), spacing=0)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(scroll)
        scroll.column.addStretch(2)
        scroll.column.addLayout(self._in_the_middle(self._cards()))
        scroll.column.addSpacing(12)
        # Within the lower stretch: the cards stand where they stood before keys were found.
        below: QVBoxLayout = bare(QVBoxLayout())
        below.addLayout(self._in_the_middle(self._found_card()))
        below.addStretch(1)
        scroll.column.addLayout(below, 3)
        self._show()

    def take(self, vault: Vault) -> None:
        """From now on it shows what the vault knows, and its buttons do what they say."""
        self._vault = vault
        vault.changed.connect(self._show)
        self._show()
        pressed, self._pressed = self._pressed, None
        if pressed is not None:
            QTimer.singleShot(0, self, pressed)

    def _press(self, act: Callable[[], object]) -> None:
        if self._vault is None:
            self._pressed = act
        else:
            act()

    def _in_the_middle(self, inside: QWidget) -> QHBoxLayout:
        inside.setMaximumWidth(920)
        row: QHBoxLayout = bare(QHBoxLayout())
        row.addStretch(1)
        row.addWidget(inside, 1000)
        row.addStretch(1)
        return row

    def _cards(self) -> QWidget:
        inside = QWidget()
        column: QVBoxLayout = bare(QVBoxLayout(inside))
        column.addWidget(
            Label(self.tr("Ask several models at once, with your own keys"), "heading", wrap=True)
        )
        column.addSpacing(4)
        text = "Keys stay on this machine and go to their own provider only. Nothing is sent before you ask."
        column.addWidget(Label(text, "muted", wrap=True))
        column.addSpacing(20)
        self.cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.cards.setSpacing(12)
        self.paste = Button(self.tr("Paste a key"), "primary").on(lambda: self._press(self.key_wanted.emit))
        self.local = Button(self.tr("Look for servers")).on(lambda: self._press(self._local_act))
        self.demo = Button(self.tr("Try the demo")).on(lambda: self._press(self.demo_wanted.emit))
        self.local_state = Label("", "small", wrap=True)
        cards = (
            self._card(
                "key",
                self.tr("Paste a key"),
                self.tr("Whose it is shows in its shape, and a check proves that it works."),
                self.paste,
            ),
            self._card(
                "desktop",
                self.tr("Use a local server"),
                self.tr("Ollama, LM Studio or llama.cpp on this machine, without any key."),
                self.local,
                self.local_state,
            ),
            self._card(
                "play-circle",
                self.tr("Try without a key"),
                self.tr("A demo provider answers here, without network."),
                self.demo,
                Chip("simulation", "warn"),
            ),
        )
        for card in cards:
            self.cards.addWidget(card, 1)
        column.addLayout(self.cards)
        return inside

    def _card(self, icon: str, title: str, text: str, button: Button, extra: QWidget | None = None) -> Card:
        card = Card(padding=18, spacing=6)
        head: QHBoxLayout = bare(QHBoxLayout(), 8)
        head.addWidget(Mark(self._theme.icon(icon, "accent", 20), 20))
        head.addWidget(Label(title, "title"))
        if isinstance(extra, Chip):
            head.addWidget(extra)
        head.addStretch(1)
        card.body.addLayout(head)
        card.body.addWidget(Label(text, "muted", wrap=True))
        if isinstance(extra, Label) and not isinstance(extra, Chip):
            card.body.addWidget(extra)
        card.body.addStretch(1)
        card.body.addSpacing(8)
        card.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _found_card(self) -> Card:
        self.found = Card(padding=18, spacing=6)
        self.found_title = Label("", "title")
        self.found_list = Label("", "hint", wrap=True)
        self.found.body.addWidget(self.found_title)
        self.found.body.addWidget(self.found_list)
        self.found.body.addSpacing(4)
        self.buttons = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        self.use = Button(self.tr("Use them where they are")).on(self.begin_wanted.emit)
        self.keep = Button(self.tr("Keep them in the vault…")).on(self.import_wanted.emit)
        row.addWidget(self.use)
        row.addWidget(self.keep)
        row.addStretch(1)
        self.found.body.addLayout(row)
        return self.found

    def _show(self) -> None:
        self._show_found(
            [key for key in self._vault.all_keys() if key.source != "vault"] if self._vault else []
        )
        self._show_local()

    def _show_found(self, keys: Sequence[ApiKey]) -> None:
        self.found.setVisible(bool(keys))
        self.found_title.setText(f"{len(keys)} keys found" if len(keys) != 1 else "1 key found")
        widest = max((len(key.label) for key in keys), default=0)
        lines = (f"{key.label.ljust(widest)}  {key.hint.ljust(14)}  {key.source}".rstrip() for key in keys)
        self.found_list.setText("\n".join(lines))

    def _show_local(self) -> None:
        self.local_state.hide()
        if self._vault is None:
            return
        found = self._vault.servers.found()
        names = [provider for provider in self._vault.servers.providers() if provider.id in found]
        if names:
            self.local_state.setText(", ".join(f"{one.name} · {found[one.id]} models" for one in names))
            self.local.setText(f"Use {names[0].name}")
        else:
            self.local_state.setText(self._vault.servers.silence)
            self.local.setText("Look again" if self._vault.servers.silence else "Look for servers")
        self.local_state.setVisible(bool(self.local_state.text()))

    def _local_act(self) -> None:
        assert self._vault is not None
        found = self._vault.servers.found()
        first = next((one.id for one in self._vault.servers.providers() if one.id in found), "")
        if first:
            self.local_wanted.emit(first)
        else:
            self._vault.servers.look_for()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A key that is pasted here goes where keys are pasted."""
        if event.matches(QKeySequence.StandardKey.Paste) and QGuiApplication.clipboard().text().strip():
            self.pasted.emit(QGuiApplication.clipboard().text())
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self.cards.setDirection(direction)
        self.buttons.setDirection(direction)
