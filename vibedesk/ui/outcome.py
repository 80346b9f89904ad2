"""What went wrong with a key, in a card: one sentence, one thing to do, one button that does it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QVBoxLayout

from vibedesk.engine.types import Provider
from vibedesk.ui.announce import announce
from vibedesk.ui.widgets import Button, Label, set_state

AT_THE_PROVIDER = {
    "invalid", "revoked", "wrong_type", "no_credit", "spend_limit", "restricted", "wrong_organisation",
    "region_blocked",
}  # fmt: skip
"""What is mended on the provider's own pages."""


class OutcomeCard(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "error")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(4)
        self.message, self.fix = Label("", wrap=True), Label("", "muted", wrap=True)
        self.button = Button("", "link").on(self._act)
        self._do: Callable[[], object] | None = None
        for widget in (self.message, self.fix, self.button):
            column.addWidget(widget)
        self.say("")

    def say(
        self,
        message: str,
        fix: str = "",
        role: str = "bad",
        button: str = "",
        act: Callable[[], object] | None = None,
    ) -> None:
        """Shows this; an empty message hides the card."""
        changed = message != self.message.text()
        self.message.setText(message)
        self.fix.setText(fix)
        self.fix.setVisible(bool(fix))
        self._do = act
        self.button.setText(button)
        self.button.setVisible(bool(button))
        set_state(self, "role", role)
        self.setVisible(bool(message))
        if changed:
            announce(self, f"{message} {fix}".strip())

    def _act(self) -> None:
        if self._do is not None:
            self._do()


def opener(provider: Provider) -> tuple[str, Callable[[], object]]:
    """A button that opens the provider's page of keys: its words, which show where it leads, and what it does."""
    shown = provider.key_url.partition("//")[2]
    return f"Open {shown}", lambda: QDesktopServices.openUrl(QUrl(provider.key_url))


def fix_of(
    verdict: str, nuance: str, provider: Provider, *, ask: Callable[[], object]
) -> tuple[str, Callable[[], object] | None]:
    """The one button for a verdict, beside checking again; "" where checking again is all that helps."""
    if verdict == "restricted" and nuance.endswith("list"):
        return "Ask for one answer", ask
    if verdict in AT_THE_PROVIDER and provider.key_url:
        return opener(provider)
    return "", None
