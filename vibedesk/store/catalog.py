"""The catalog on disk: the bundled lists, the user's providers.toml, and the models each provider listed last."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec
from msgspec import Struct

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Model
from vibedesk.store.paths import Paths, make_private_folder, resources, write_whole

_Stamp = tuple[int, int, int] | None


class LiveList(Struct, frozen=True):
    """What a provider's own list said, and at which address: another address is another provider."""

    base_url: str
    models: tuple[Model, ...]


class CatalogFiles:
    """Reads the catalog; a file that cannot be read changes nothing, and `problems` says what is wrong with it."""

    def __init__(self, paths: Paths) -> None:
        self._own_file = paths.config / "providers.toml"
        self._lists = paths.cache / "models"
        self._bundled: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
        self._good: Mapping[str, Any] | None = None
        self._seen: _Stamp = None
        self._lock = RLock()
        self.problems: tuple[str, ...] = ()
        """One sentence each, naming file, table and field."""

    def load(self) -> Catalog:
        """The catalog as the files are now. A faulty providers.toml leaves the last good one in force."""
        with self._lock:
            self._seen = _stamp(self._own_file)
            catalog = self._with_own()
            for id in catalog.providers:
                kept = self._kept(id, catalog)
                catalog = catalog.with_live(id, kept) if kept else catalog
            return catalog

    def changed(self) -> bool:
        """Whether providers.toml is another one than `load` last saw."""
        return _stamp(self._own_file) != self._seen

    def keep_live(self, provider: str, models: Sequence[Model], base_url: str = "") -> None:
        """Keeps a provider's own list until it is read again. Raises `OSError`, `UnknownProvider`."""
        with self._lock:
            where = base_url or self._with_own().provider(provider).base_url
            make_private_folder(self._lists)
            write_whole(self._list_of(provider), msgspec.json.encode(LiveList(where, tuple(models))))

    def _with_own(self) -> Catalog:
        providers, models = self._read_bundled()
        try:
            own = self._read_own()
            catalog = Catalog.read(providers, models, own)
        except Misconfigured as exc:
            self.problems = (f"{self._own_file.name}: {exc.detail}",)
            return Catalog.read(providers, models, self._good)
        self._good = own
        self.problems = tuple(f"{self._own_file.name}: {warning}" for warning in catalog.warnings)
        return catalog

    def _read_bundled(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if self._bundled is None:
            folder = resources() / "catalog"
            self._bundled = (_toml(folder / "providers.toml"), _toml(folder / "models.toml"))
        return self._bundled

    def _read_own(self) -> Mapping[str, Any] | None:
        try:
            return _toml(self._own_file)
        except FileNotFoundError:
            return None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise Misconfigured(f"this is not TOML: {exc}") from exc
        except OSError as exc:
            raise Misconfigured(f"it cannot be read: {exc.strerror}") from exc

    def _kept(self, provider: str, catalog: Catalog) -> tuple[Model, ...]:
        try:
            kept = msgspec.json.decode(self._list_of(provider).read_bytes(), type=LiveList)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return ()  # a cache: the provider is asked again
        return kept.models if kept.base_url == catalog.provider(provider).base_url else ()

    def _list_of(self, provider: str) -> Path:
        return self._lists / f"{re.sub(r'[^a-z0-9._-]', '_', provider)}.json"


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_bytes().decode("utf-8-sig"), parse_float=Decimal)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
