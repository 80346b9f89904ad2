"""The card that stands where an answer failed: what is true, what helps, and the details folded away."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from vibedesk.engine.errors import EngineError
from vibedesk.ui.widgets import Button, Label, bare, set_state
from vibedesk.wording import words_for

ACTIONS = {
    "open_keys": "Open the key",
    "add_key": "Add key",
    "use_another_model": "Use another model",
    "retry": "Retry",
    "continue": "Continue",
    "shorten": "Shorten",
    "open_settings": "Open settings",
    "open_billing": "Open billing",
}


class ErrorCard(QFrame):
    """`acted(action)`: one of `ACTIONS` was pressed. A retry that must wait counts down on its button."""

    acted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "error")
        self._action, self._other = "none", "use_another_model"
        self._wait = 0
        self._tick = QTimer(self)
        self._tick.setInterval(1000)
        self._tick.timeout.connect(self._count_down)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 12, 12)
        column.setSpacing(4)
        self.title, self.sentence = Label("", "strong", wrap=True), Label("", "muted", wrap=True).selectable()
        self.details = Label("", "hint", wrap=True).selectable()
        self.main = Button("", "primary").on(lambda: self.acted.emit(self._action))
        self.other = Button("").on(lambda: self.acted.emit(self._other))
        self.fold = Button(self.tr("Details"), "quiet").on(self._toggle)
        column.addWidget(self.title)
        column.addWidget(self.sentence)
        column.addSpacing(4)
        buttons: QHBoxLayout = bare(QHBoxLayout(), 4)
        for button in (self.main, self.other, self.fold):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addWidget(self.details)
        self.details.hide()

    def show_error(self, error: EngineError, *, provider_name: str = "", can_continue: bool = False) -> None:
        """Says what `error` means, offers what helps: to go on, before the same once more."""
        words = words_for(error, provider_name=provider_name)
        action = "continue" if words.action == "retry" and can_continue else words.action
        self.show_words(
            words.title, f"{words.sentence} {words.fix}".strip(), action, details=details_of(error)
        )
        if action == "retry" and error.retry_after_s:
            self._wait = ceil(error.retry_after_s)
            self._tick.start()
            self._label_main()

    def show_words(
        self, title: str, sentence: str, action: str = "none", *, details: str = "", role: str = "bad"
    ) -> None:
        """The same card from words kept in a conversation."""
        self._tick.stop()
        self._wait, self._action = 0, action
        set_state(self, "role", role)
        self.title.setText(title)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.details.setText(details)
        self.details.hide()
        self.fold.setVisible(bool(details))
        self.main.setVisible(action in ACTIONS)
        self._other = "retry" if action == "continue" else "use_another_model"
        self.other.setText(ACTIONS[self._other])
        self.other.setVisible(action in ("retry", "continue"))
        self._label_main()

    def retire(self) -> None:
        """A later turn stands below: the words stay, what was offered is over."""
        self._tick.stop()
        self.main.hide()
        self.other.hide()

    def _label_main(self) -> None:
        text = ACTIONS.get(self._action, "")
        self.main.setText(f"{text} ({self._wait} s)" if self._wait else text)

    def _count_down(self) -> None:
        self._wait = max(0, self._wait - 1)
        if not self._wait:
            self._tick.stop()
        self._label_main()

    def _toggle(self) -> None:
        self.details.setVisible(self.details.isHidden())


def details_of(error: EngineError) -> str:
    """The facts, one a line: status, code, the provider's own words, request id. Redacted where they were made."""
    lines = [
        f"kind: {error.kind}",
        f"status: {error.status}" if error.status is not None else "",
        f"code: {error.code}" if error.code else "",
        f"provider: {error.provider_message}" if error.provider_message else "",
        f"request: {error.request_id}" if error.request_id else "",
        error.detail,
    ]
    return "\n".join(line for line in lines if line)
