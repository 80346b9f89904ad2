"""Opening and keeping sets of lanes: the menu's part, and the sheet that names one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from vibedesk.state.lane_sets import LaneSets
from vibedesk.store.history import LaneSpec
from vibedesk.store.lane_sets import LONGEST_NAME, LaneSet
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Field, Label


def add_sets(menu: QMenu, sets: LaneSets, save: Callable[[], object]) -> None:
    """Saved sets, then what is offered, then how to save and forget one."""
    for group in (sets.saved, sets.offered):
        for one in group:
            action = menu.addAction(_title(one), partial(sets.open, one))
            action.setToolTip(described(one))
        if group:
            menu.addSeparator()
    menu.addAction(menu.tr("Save these lanes as a set…"), save)
    if sets.saved:
        forget = menu.addMenu(menu.tr("Remove a set"))
        for one in sets.saved:
            forget.addAction(_title(one), partial(sets.remove, one))


def _title(one: LaneSet) -> str:
    return harmless.one_line(f"{one.name} · {len(one.lanes)} lanes", 80).replace("&", "&&")


def described(one: LaneSet) -> str:
    """Its lanes, a line each."""
    return "\n".join(harmless.one_line(_lane(lane), 120) for lane in one.lanes)


def _lane(lane: LaneSpec) -> str:
    parts = [f"route {lane.route}" if lane.route else lane.model or "no model", lane.via]
    if lane.parameters.temperature is not None:
        parts.append(f"temperature {lane.parameters.temperature:g}")
    if lane.parameters.reasoning_effort:
        parts.append(f"effort {lane.parameters.reasoning_effort}")
    return " · ".join(part for part in parts if part)


class SaveSetSheet(Sheet):
    """Names the lanes that are open; `keep(name)`."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        lanes: list[LaneSpec],
        taken: tuple[str, ...],
        keep: Callable[[str], object],
    ) -> None:
        super().__init__(host, theme, title="Save these lanes as a set", width=480)
        self._keep, self._taken = keep, taken
        self.name = Field(self.tr("Name, for example “fast vs smart”"), large=True, name=self.tr("Name"))
        self.name.setMaxLength(LONGEST_NAME)
        self.body.addWidget(Label(described(LaneSet(name="", lanes=tuple(lanes))), "muted", wrap=True))
        self.body.addWidget(self.name)
        self.says = Label("", "small")
        self.body.addWidget(self.says)
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.save)
        self.name.textChanged.connect(lambda _: self._look())
        self.name.returnPressed.connect(self._save)
        self._look()
        self.name.setFocus()

    def _look(self) -> None:
        name = " ".join(self.name.text().split())
        self.save.setEnabled(bool(name))
        self.says.setText(self.tr("Replaces the set of this name.") if name in self._taken else "")

    def _save(self) -> None:
        if self.save.isEnabled():
            self._keep(self.name.text())
            self.accept()
