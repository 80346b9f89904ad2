"""What is set for a lane in a sheet: its system prompt, its parameters; and the question before a link is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QPlainTextEdit, QSpinBox, QWidget

from vibedesk.engine.types import Model, Parameters
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Label

MOST_TOKENS = 1_000_000


class SystemSheet(Sheet):
    """A system prompt to write; `keep(text)` when it is saved."""

    def __init__(
        self, host: QWidget, theme: Theme, text: str, where: str, keep: Callable[[str], object]
    ) -> None:
        super().__init__(host, theme, title="System prompt", width=640)
        self.body.addWidget(Label(where, "muted", wrap=True))
        self.words = QPlainTextEdit(text)
        self.words.setMinimumHeight(180)
        self.words.setTabChangesFocus(True)
        self.words.setAccessibleName("System prompt")
        self.words.setPlaceholderText(
            self.tr("Sent before every question, for example: Answer in one paragraph.")
        )
        self.body.addWidget(self.words)
        self._keep = keep
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.footer.addWidget(self.save)
        self.words.setFocus()

    def _save(self) -> None:
        self._keep(self.words.toPlainText().strip())
        self.accept()


class ParametersSheet(Sheet):
    """Effort, max tokens and temperature, within what the model takes; `keep(parameters)` when saved."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        parameters: Parameters,
        model: Model | None,
        keep: Callable[[Parameters], object],
    ) -> None:
        super().__init__(host, theme, title="Parameters", width=460)
        self._keep, self._model = keep, model
        self.body.addWidget(Label(self.tr("What is left at “default” is not sent."), "muted"))
        self.effort = self._make_effort(parameters)
        self.tokens = self._make_tokens(parameters)
        self.temperature = self._make_temperature(parameters)
        form = QFormLayout()
        form.setContentsMargins(0, 8, 0, 0)
        form.setHorizontalSpacing(20)
        form.setVerticalSpacing(10)
        form.addRow(Label(self.tr("Reasoning effort")), self.effort)
        form.addRow(Label(self.tr("Max tokens")), self.tokens)
        form.addRow(Label(self.tr("Temperature")), self.temperature)
        self.body.addLayout(form)
        self.why = Label(self._limits(), "small", wrap=True)
        self.body.addWidget(self.why)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(Button(self.tr("Save"), "primary").on(self._save))

    def _make_effort(self, parameters: Parameters) -> Choice:
        taken = self._model.traits.efforts if self._model else ("none", "minimal", "low", "medium", "high")
        choice = Choice([("default", None), *((word, word) for word in taken)])
        choice.choose(parameters.reasoning_effort)
        choice.setEnabled(bool(taken))
        choice.setAccessibleName("Reasoning effort")
        return choice

    def _make_tokens(self, parameters: Parameters) -> QSpinBox:
        field = QSpinBox()
        field.setRange(0, (self._model.max_output if self._model else None) or MOST_TOKENS)
        field.setSpecialValueText("default")
        field.setSingleStep(256)
        field.setGroupSeparatorShown(True)
        field.setValue(parameters.max_tokens or 0)
        field.setAccessibleName("Max tokens")
        return field

    def _make_temperature(self, parameters: Parameters) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-0.1, self._model.traits.temperature_max if self._model else 2.0)
        field.setSingleStep(0.1)
        field.setDecimals(1)
        field.setSpecialValueText("default")
        field.setValue(-0.1 if parameters.temperature is None else parameters.temperature)
        field.setEnabled(self._model is None or self._model.traits.temperature != "never")
        field.setAccessibleName("Temperature")
        return field

    def _limits(self) -> str:
        model = self._model
        if model is None:
            return ""
        words = []
        if not model.traits.efforts:
            words.append("takes no reasoning effort")
        if model.traits.temperature == "never":
            words.append("takes no temperature")
        elif model.traits.temperature == "without_reasoning":
            words.append("takes a temperature only without reasoning")
        if model.max_output:
            words.append(f"answers with {model.max_output:,} tokens at most")
        return harmless.one_line(f"{model.name} " + ", ".join(words) + ".") if words else ""

    def _save(self) -> None:
        warm = self.temperature.isEnabled() and self.temperature.value() >= 0
        self._keep(
            Parameters(
                max_tokens=self.tokens.value() or None,
                temperature=round(self.temperature.value(), 2) if warm else None,
                reasoning_effort=self.effort.chosen(),
            )
        )
        self.accept()


class LinkSheet(Sheet):
    """Shows where a link leads before anything is opened."""

    def __init__(self, host: QWidget, theme: Theme, address: str) -> None:
        super().__init__(host, theme, title="Open this link?", width=520)
        self._address = address
        self.body.addWidget(Label(self.tr("A model wrote it. It leads here:"), "muted"))
        self.target = Label(_wrappable(address), "mono", wrap=True).selectable()
        self.body.addWidget(self.target)
        self.footer.addWidget(Button(self.tr("Copy"), "quiet").on(self._copy))
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(Button(self.tr("Open"), "primary").on(self._go))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(harmless.code(self._address))

    def _go(self) -> None:
        self.accept()
        if harmless.may_open(self._address):
            QDesktopServices.openUrl(QUrl(self._address))


def _wrappable(address: str) -> str:
    """The whole address, breakable after each slash: nothing of it may be hidden."""
    return harmless.code(address).replace("/", "/\u200b").replace("&", "&\u200b")
