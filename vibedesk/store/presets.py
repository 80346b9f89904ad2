"""Parameters by name, `config/presets.toml`; one of them may be what new lanes begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from vibedesk.engine.types import Parameters
from vibedesk.store.named import NamedTables


class Preset(Struct, frozen=True):
    """`default`: new lanes begin with it."""

    name: str
    parameters: Parameters
    default: bool = False


class PresetsFile(NamedTables[Preset]):
    """`[presets.NAME]` with the fields of `Parameters`, and `default = true` at one of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "presets", _preset)

    def keep(self, preset: Preset, replacing: str = "") -> None:
        """Saves it, over one of that name where there is one. Raises `Misconfigured`."""
        others = self.values()
        if preset.default:
            for other in others.values():
                if other.default and other.name != preset.name:
                    self.save(other.name, _table(other.parameters, default=False), other.name)
        name = preset.name if preset.name in others else replacing
        self.save(preset.name, _table(preset.parameters, default=preset.default), name)

    def beginning(self) -> Parameters:
        """What a new lane begins with."""
        chosen = next((preset for preset in self.values().values() if preset.default), None)
        return chosen.parameters if chosen else Parameters()


def _table(parameters: Parameters, *, default: bool) -> dict[str, Any]:
    """What is set, and nothing else."""
    plain = Parameters()
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name in parameters.__struct_fields__
        if (value := getattr(parameters, name)) != getattr(plain, name)
    }
    return fields | ({"default": True} if default else {})


def _preset(name: str, table: dict[str, Any]) -> Preset:
    fields = {field: value for field, value in table.items() if field != "default"}
    if unknown := fields.keys() - set(Parameters.__struct_fields__):
        raise ValueError(f"{min(unknown)} is not a parameter")
    try:
        parameters = msgspec.convert(fields, Parameters)
    except msgspec.ValidationError as exc:
        raise ValueError(str(exc).replace("`", "").rstrip(".")) from exc
    for field, least, most in (("temperature", 0, 2), ("top_p", 0, 1), ("max_tokens", 1, 10**9)):
        value = getattr(parameters, field)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{field} is a number from {least} to {most}")
    return Preset(name, parameters, table.get("default") is True)
