"""The settings: each declared once, read by every face, kept in a commented file a person may edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vibedesk.engine.errors import Misconfigured
from vibedesk.store.document import Document

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

GATEWAY_BASE_URL = "https://gateway.ai.cloudflare.com/v1"


class Setting(NamedTuple):
    """`key` is TABLE.NAME as it stands in the file; a list holds strings."""

    key: str
    type: type
    default: Any
    description: str
    choices: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]

    def refusal(self, value: object) -> str:
        """Why `value` will not do, or ""."""
        if type(value) is not self.type:
            return f"takes {_KINDS[self.type]}"
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            return "takes a list of strings"
        if self.choices and value not in self.choices:
            return "is one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        return ""


_KINDS: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    list: "a list of strings",
}

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "appearance.theme", str, "system", "Light, dark, or as the desktop says.", ("system", "light", "dark")
    ),
    Setting("composer.enter_sends", bool, True, "Enter sends; otherwise Ctrl+Enter alone does."),
    Setting("gateway.account", str, "", "Cloudflare account id; empty: no gateway."),
    Setting("gateway.name", str, "", "Name of the AI Gateway in that account."),
    Setting("gateway.base_url", str, GATEWAY_BASE_URL, "Where the gateway is; ends before the account."),
    Setting(
        "gateway.stored_keys",
        bool,
        False,
        "The providers’ keys are stored at the gateway: none is sent with a call that goes through it.",
    ),
    Setting("keys.folders", list, [], "Folders whose .dev.vars and .env are read for keys."),
    Setting(
        "vault.lock_after_minutes", int, 0, "Idle minutes after which the encrypted file is locked; 0: never."
    ),
    Setting("models.favourites", list, [], "Models shown first, PROVIDER/MODEL."),
    Setting("models.recent", list, [], "Models asked last, latest first, PROVIDER/MODEL."),
    Setting("lanes.last", list, [], "Models of the lanes that were open last, PROVIDER/MODEL."),
)


class Settings:
    """Reads `path` when built; `problems` says what of it could not be read (the last good state holds)."""

    def __init__(self, path: Path) -> None:
        self._document = Document(path)
        self._declared = {setting.key: setting for setting in SETTINGS}
        self._values: dict[str, Any] = {}
        self.problems: tuple[str, ...] = ()
        self.reload()

    def get(self, key: str) -> Any:
        """The value, or the default where the file says nothing. Raises `KeyError` for a key not declared."""
        setting = self._declared[key]
        value = self._values.get(key, setting.default)
        return list(value) if isinstance(value, list) else value

    def set(self, key: str, value: object) -> None:
        """Writes one value; everything else in the file stays as it is. Raises `Misconfigured`, `KeyError`."""
        setting = self._declared[key]
        if isinstance(value, tuple):
            value = list(value)
        if refusal := setting.refusal(value):
            raise Misconfigured(f"{key} {refusal}.", setting=key)
        self._document.edit(lambda document: _put(document, setting, value))
        self._take()

    def reload(self) -> tuple[str, ...]:
        """Reads the file again. The problems, one sentence each; what they concern keeps its last good value."""
        problem = self._document.read()
        self.problems = (problem,) if problem else self._take()
        return self.problems

    def changed(self) -> bool:
        """Whether the file was edited since it was last read or written."""
        return self._document.changed()

    def _take(self) -> tuple[str, ...]:
        problems, values = [], {}
        for setting in SETTINGS:
            table = self._document.tables.get(setting.table, {})
            if not isinstance(table, dict) or setting.name not in table:
                continue
            value = table[setting.name]
            if refusal := setting.refusal(value):
                problems.append(self._problem(setting, refusal))
                value = self._values.get(setting.key, setting.default)
            values[setting.key] = value
        self._values = values
        return tuple(problems)

    def _problem(self, setting: Setting, refusal: str) -> str:
        line = self._document.line_of((setting.table,), setting.name)
        place = f", line {line}" if line else ""
        return f"{self._document.path.name}{place}: {setting.key} {refusal}."


def _put(document: TOMLDocument, setting: Setting, value: object) -> None:
    import tomlkit

    if not isinstance(document.get(setting.table), dict):
        document[setting.table] = tomlkit.table()
    table: Any = document[setting.table]
    if table.get(setting.name) != value or type(table.get(setting.name)) is bool:
        table[setting.name] = value
