"""A lane's parameters in a sheet: what its model takes, each with its range and default; and presets of them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, QTimer
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from vibedesk.engine.types import Parameters
from vibedesk.state.estimate import Taken
from vibedesk.state.held import schema_fault
from vibedesk.state.prompts import Presets
from vibedesk.ui import harmless
from vibedesk.ui.parameter_names import NAMES
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Check, Choice, Field, Hairline, Label, bare, set_state

MOST_TOKENS = 1_000_000
MOST_SEED = 2**31 - 1
UNSET = "default"
_ANYTHING = Taken(
    temperature=2.0,
    default_temperature=None,
    top_p=True,
    warmth="",
    together=True,
    efforts=("none", "minimal", "low", "medium", "high"),
    default_effort=None,
    least_tokens=1,
    most_tokens=None,
    default_max_tokens=None,
    stops=4,
    seed=True,
    json_schema=True,
)
"""While a lane has no model of its own (a route, or none)."""


class ParametersSheet(Sheet):
    """`keep(parameters)` when saved. `taken` None = nobody knows what the model takes."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        parameters: Parameters,
        taken: Taken | None,
        model: str,
        presets: Presets,
        keep: Callable[[Parameters], object],
    ) -> None:
        super().__init__(host, theme, title="Parameters", width=600)
        self._keep, self._taken, self._presets = keep, taken or _ANYTHING, presets
        self.fields: dict[str, QWidget] = {}
        self._faults = QTimer(self)
        self._faults.setSingleShot(True)
        self._faults.setInterval(250)
        self._faults.timeout.connect(self._check_schema)
        who = harmless.one_line(model, 60) or self.tr("this lane")
        self.body.addWidget(
            Label(f"What {who} takes. What is left at its default is not sent.", "muted", wrap=True)
        )
        self._add_presets()
        self.body.addSpacing(4)
        self.body.addWidget(Hairline())
        self.body.addSpacing(4)
        self._grid = bare(QGridLayout())
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(10)
        self._grid.setColumnMinimumWidth(0, 108)
        self._grid.setColumnStretch(2, 1)
        self._add_rows()
        self.body.addLayout(self._grid)
        self._add_schema()
        if missing := self._not_taken():
            self.body.addWidget(Label(f"Takes no {missing}.", "small", wrap=True))
        self.show_parameters(parameters)
        self.footer.addWidget(
            Button(self.tr("Reset"), "quiet").on(lambda: self.show_parameters(Parameters()))
        )
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(Button(self.tr("Save"), "primary").on(self._save))
        presets.changed.connect(self._list_presets)
        presets.load()

    # Rows

    def _add_rows(self) -> None:
        taken = self._taken
        waits = self.tr("only with effort none") if taken.warmth else ""
        if taken.efforts:
            default = f"default: {taken.default_effort}" if taken.default_effort else ""
            self.effort = Choice([(UNSET, None), *((word, word) for word in taken.efforts)])
            self._row("reasoning_effort", self.effort, default)
        if taken.temperature is not None:
            default = "" if taken.default_temperature is None else f"default {taken.default_temperature:g}"
            self.temperature = _decimal(taken.temperature)
            self._row("temperature", self.temperature, f"0 to {taken.temperature:g}", default, waits)
        if taken.top_p:
            self.top_p = _decimal(1.0)
            instead = "" if taken.together else self.tr("instead of a temperature, not beside it")
            self._row("top_p", self.top_p, "0 to 1", waits, instead)
        self.tokens = _whole(taken.most_tokens or MOST_TOKENS)
        most = f"{taken.least_tokens:,} to {taken.most_tokens:,}" if taken.most_tokens else ""
        sent = f"{taken.default_max_tokens:,} sent by default" if taken.default_max_tokens else ""
        self._row("max_tokens", self.tokens, most, sent)
        if taken.stops:
            self.stops = QPlainTextEdit()
            self.stops.setFixedHeight(56)
            self.stops.setTabChangesFocus(True)
            self.stops.setPlaceholderText(self.tr("one a line"))
            self._row("stop", self.stops, f"{taken.stops} at most; the answer ends before one")
        if taken.seed:
            self.seed = Field(UNSET, name=NAMES["seed"])
            self._row("seed", self.seed, self.tr("a whole number; the same one makes answers alike"))

    def _row(self, name: str, field: QWidget, *facts: str) -> None:
        row = self._grid.rowCount()
        self.fields[name] = field
        field.setAccessibleName(NAMES[name])
        field.setFixedWidth(150)
        self._grid.addWidget(Label(NAMES[name]), row, 0)
        self._grid.addWidget(field, row, 1)
        self._grid.addWidget(Label(" · ".join(fact for fact in facts if fact), "small", wrap=True), row, 2)

    def _add_schema(self) -> None:
        if not self._taken.json_schema:
            return
        self.body.addSpacing(6)
        self.schema = QPlainTextEdit()
        self.schema.setProperty("mono", True)
        self.schema.setFixedHeight(120)
        self.schema.setTabChangesFocus(True)
        self.schema.setAccessibleName(NAMES["json_schema"])
        self.schema.setPlaceholderText('{"type": "object", "properties": { … }}')
        self.schema.textChanged.connect(self._faults.start)
        self.fields["json_schema"] = self.schema
        head = bare(QHBoxLayout(), 8)
        head.addWidget(Label(NAMES["json_schema"]))
        head.addWidget(Label(self.tr("The answer is held to it, and checked against it."), "small"), 1)
        self.body.addLayout(head)
        self.body.addWidget(self.schema)
        self.fault = Label("", "small", wrap=True)
        self.fault.hide()
        self.body.addWidget(self.fault)

    def _not_taken(self) -> str:
        missing = [
            NAMES[name].lower() if name != "json_schema" else "JSON schema"
            for name in NAMES
            if name not in self.fields
        ]
        return ", ".join(missing[:-1]) + " or " + missing[-1] if len(missing) > 1 else "".join(missing)

    # Values

    def show_parameters(self, parameters: Parameters) -> None:
        """Puts these into the fields; what the model does not take has none."""
        if "reasoning_effort" in self.fields:
            self.effort.choose(parameters.reasoning_effort)
        if "temperature" in self.fields:
            self.temperature.setValue(_or_unset(parameters.temperature))
        if "top_p" in self.fields:
            self.top_p.setValue(_or_unset(parameters.top_p))
        self.tokens.setValue(parameters.max_tokens or 0)
        if "stop" in self.fields:
            self.stops.setPlainText("\n".join(word.replace("\n", "\\n") for word in parameters.stop))
        if "seed" in self.fields:
            self.seed.setText("" if parameters.seed is None else str(parameters.seed))
        if "json_schema" in self.fields:
            self.schema.setPlainText(parameters.json_schema)

    def parameters(self) -> Parameters:
        """What the fields say."""
        has = self.fields.__contains__
        return Parameters(
            max_tokens=self.tokens.value() or None,
            temperature=_set(self.temperature) if has("temperature") else None,
            reasoning_effort=self.effort.chosen() if has("reasoning_effort") else None,
            top_p=_set(self.top_p) if has("top_p") else None,
            stop=_lines(self.stops.toPlainText())[: self._taken.stops] if has("stop") else (),
            seed=_seed(self.seed.text()) if has("seed") else None,
            json_schema=self.schema.toPlainText().strip() if has("json_schema") else "",
        )

    def _check_schema(self) -> str:
        if "json_schema" not in self.fields:
            return ""
        text = self.schema.toPlainText().strip()
        fault = schema_fault(text) if text else ""
        set_state(self.fault, "role", "bad" if fault else "ok")
        self.fault.setText(harmless.one_line(fault, 160) if fault else self.tr("A valid schema."))
        self.fault.setVisible(bool(text))
        return fault

    def _save(self) -> None:
        if self._check_schema():
            self.schema.setFocus()
            return
        self._keep(self.parameters())
        self.accept()

    # Presets

    def _add_presets(self) -> None:
        self.preset = Choice()
        self.preset.setAccessibleName(self.tr("Preset"))
        self.preset.setFixedWidth(220)
        self.preset.activated.connect(lambda _: self._apply())
        self.save_as = Button(self.tr("Save as preset…"), "quiet").on(lambda: self._naming.setVisible(True))
        self.delete = Button(self.tr("Delete preset"), "quiet").on(self._delete)
        row = bare(QHBoxLayout(), 8)
        name = Label(self.tr("Preset"))
        name.setFixedWidth(108)
        row.addWidget(name)
        row.addSpacing(8)
        row.addWidget(self.preset)
        row.addWidget(self.save_as)
        row.addWidget(self.delete)
        row.addStretch(1)
        self.body.addSpacing(6)
        self.body.addLayout(row)
        self._naming = QWidget()
        self._naming.hide()
        below = bare(QHBoxLayout(self._naming), 8)
        below.setContentsMargins(124, 0, 0, 0)
        self.preset_name = Field(self.tr("Name"), name=self.tr("Name of the preset"))
        self.preset_name.setFixedWidth(150)
        self.preset_name.returnPressed.connect(self._save_preset)
        self.by_default = Check(self.tr("New lanes begin with it"))
        below.addWidget(self.preset_name)
        below.addWidget(self.by_default)
        below.addWidget(Button(self.tr("Save preset")).on(self._save_preset))
        below.addStretch(1)
        self.body.addWidget(self._naming)
        self._list_presets()

    def _list_presets(self) -> None:
        with QSignalBlocker(self.preset):
            chosen = self.preset.chosen()
            self.preset.clear()
            self.preset.addItem(self.tr("None") if self._presets.presets else self.tr("None yet"), None)
            for one in self._presets.presets:
                suffix = "  · for new lanes" if one.default else ""
                self.preset.addItem(harmless.one_line(one.name, 40) + suffix, one.name)
            self.preset.choose(chosen)
        self.delete.setVisible(self.preset.chosen() is not None)

    def _apply(self) -> None:
        chosen = next((one for one in self._presets.presets if one.name == self.preset.chosen()), None)
        self.show_parameters(chosen.parameters if chosen else Parameters())
        self.delete.setVisible(chosen is not None)
        if chosen is not None:
            self.preset_name.setText(chosen.name)
            self.by_default.setChecked(chosen.default)

    def _save_preset(self) -> None:
        if name := self.preset_name.text().strip():
            self._presets.save(name, self.parameters(), default=self.by_default.isChecked())
            self._naming.hide()

    def _delete(self) -> None:
        self._presets.remove(self.preset.chosen())


def _decimal(most: float) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setDecimals(2)
    field.setSingleStep(0.1)
    field.setRange(-0.1, most)
    field.setSpecialValueText(UNSET)
    return field


def _whole(most: int) -> QSpinBox:
    field = QSpinBox()
    field.setRange(0, most)
    field.setSpecialValueText(UNSET)
    field.setSingleStep(256)
    field.setGroupSeparatorShown(True)
    return field


def _or_unset(value: float | None) -> float:
    return -0.1 if value is None else value


def _set(field: QDoubleSpinBox) -> float | None:
    return round(field.value(), 2) if field.value() >= 0 else None


def _lines(text: str) -> tuple[str, ...]:
    """A stop sequence a line; a line break in one is written \\n."""
    return tuple(line.replace("\\n", "\n") for line in text.split("\n") if line.strip())


def _seed(text: str) -> int | None:
    try:
        return max(-MOST_SEED, min(int(text.strip()), MOST_SEED))
    except ValueError:
        return None
