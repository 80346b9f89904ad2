"""The keys that Simon Willison's `llm` keeps, as plain text, in its keys.json: offered for import, never used there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from vibedesk.engine.catalog import clean_key, hint_of, origin_of
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.pasted import SHORTEST_KEY
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.store.environment import read_text_of

SOURCE = "llm’s keys.json"
_FOLDER = "io.datasette.llm"
_CALLED = {
    "claude": "anthropic",
    "gemini": "google-ai-studio",
    "xai": "grok",
    "google": "google-ai-studio",
}
"""Names its plugins use (`llm keys set NAME`), where they are not the provider's own."""


def file_of_llm(environ: Mapping[str, str], home: Path) -> Path:
    """Where `llm` keeps its keys: `LLM_USER_PATH`, else click's folder for applications on this platform."""
    given = environ.get("LLM_USER_PATH", "").strip()
    if given:
        return Path(given).expanduser() / "keys.json"
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or home) / _FOLDER / "keys.json"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / _FOLDER / "keys.json"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / _FOLDER / "keys.json"


class LlmKeys:
    """What stood in `path` when it was read. A missing file has no keys; `problem` says why one could not be read."""

    def __init__(self, path: Path, providers: Iterable[Provider]) -> None:
        self.path = path
        self.problem = ""
        self._found: dict[str, tuple[ApiKey, Secret]] = {}
        known = {provider.id: provider for provider in providers}
        for name, value in self._read().items():
            provider = known.get(_CALLED.get(name.lower(), name.lower()))
            secret = _key_in(value)
            if provider is not None and secret:
                key = _api_key(name, provider, secret)
                self._found[key.id] = (key, Secret(secret))

    @property
    def found(self) -> tuple[ApiKey, ...]:
        """The keys of providers that are known, in the order of the file."""
        return tuple(key for key, _ in self._found.values())

    def secret(self, key_id: str) -> Secret:
        """Raises `KeyError`."""
        return self._found[key_id][1]

    def _read(self) -> dict[str, str]:
        try:
            written = msgspec.json.decode(read_text_of(self.path), type=dict[str, object])
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as problem:  # what is no JSON is a ValueError too
            said = getattr(problem, "strerror", None) or "it is not a JSON object of keys"
            self.problem = (
                f"{self.path} was skipped: {said.lower() if isinstance(problem, OSError) else said}."
            )
            return {}
        return {name: value for name, value in written.items() if isinstance(value, str)}


def _key_in(value: str) -> str:
    try:
        key = clean_key(value)
    except Misconfigured:
        return ""
    return key if len(key) >= SHORTEST_KEY else ""


def _api_key(name: str, provider: Provider, secret: str) -> ApiKey:
    return ApiKey(
        id=f"llm:{name}",
        provider=provider.id,
        label=name,
        hint=hint_of(secret),
        source=SOURCE,
        origin=origin_of(provider.base_url),
    )
