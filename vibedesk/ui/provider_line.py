"""Whose key it is: the tile, the name, how that is known, and a way to say otherwise."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from vibedesk.state.vault import Vault
from vibedesk.state.wizard import Wizard
from vibedesk.ui.widgets import Button, Label, Tile, bare


class ProviderLine(QWidget):
    """`picked(provider)` when the person says whose key it is, or whose they want."""

    picked = Signal(object)

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault
        row: QHBoxLayout = bare(QHBoxLayout(self), 8)
        row.setContentsMargins(0, 4, 0, 4)
        self.tile = Tile("?", "gray")
        self.name, self.how = Label("", "strong"), Label("", "muted", wrap=True)
        self.change = Button("", "link").on(self.open_menu)
        row.addWidget(self.tile)
        row.addWidget(self.name)
        row.addWidget(self.how, 1)
        row.addWidget(self.change)

    def show_step(self, step: Wizard) -> None:
        """Shows what the wizard knows now."""
        provider, several = step.provider, len(step.found) > 1
        known = provider is not None and not several
        self.tile.setVisible(known)
        self.name.setVisible(known)
        if provider is not None:
            self.tile.set(provider.letter, provider.colour)
            self.name.setText(provider.name)
        self.how.setText(self._how(step))
        self.change.setVisible(
            step.replacing is None and not several and step.phase not in ("saving", "saved")
        )
        if step.phase == "unknown":
            self.change.setText(self.tr("Choose the provider"))
        elif provider is not None and step.found:
            self.change.setText(self.tr("Not {name}?").format(name=provider.name))
        else:
            self.change.setText(self.tr("Where to get one"))

    def open_menu(self) -> None:
        """The providers, to choose from."""
        menu = QMenu(self)
        for provider in self._vault.providers():
            menu.addAction(provider.name, lambda chosen=provider: self.picked.emit(chosen))
        menu.popup(self.change.mapToGlobal(self.change.rect().bottomLeft()))

    def _how(self, step: Wizard) -> str:
        if step.saved is not None:
            return ""
        if len(step.found) > 1:
            return self.tr("{count} keys found").format(count=len(step.found))
        if not step.found:
            return "" if step.provider else self.tr("The provider is named from the shape of the key.")
        if step.provider is None:
            return self.tr("Nobody’s shape that is known here. Whose is it?")
        if step.twin is not None:
            return self.tr("ends like “{label}”, which is kept already").format(label=step.twin.label)
        if step.provider not in step.guesses:
            return self.tr("chosen by you")
        if len(step.guesses) == 1:
            return self.tr("recognised by its shape")
        return self.tr("the likeliest of several, please confirm")
