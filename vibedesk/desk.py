"""The desk: everything under the faces, built once and handed to whoever shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.types import ApiKey, Gateway, Model, Parameters, Provider, Route, Rung, Secret
from vibedesk.store.catalog import CatalogFiles
from vibedesk.store.database import Database
from vibedesk.store.environment import Environment
from vibedesk.store.history import History
from vibedesk.store.keys import Keys
from vibedesk.store.lane_sets import LaneSets
from vibedesk.store.ledger import Ledger
from vibedesk.store.paths import Paths
from vibedesk.store.routes import RoutesFile
from vibedesk.store.settings import Settings
from vibedesk.store.vault import Vault, open_backend
from vibedesk.store.votes import Votes

if TYPE_CHECKING:
    from vibedesk.engine.http import Http
    from vibedesk.engine.router import Router


class Desk:
    """Settings, keys, catalog, routes, history and ledger, and the router over them.

    What is synchronous here reads small files and the database; who runs an event loop calls it in a thread. The
    network parts are built when they are first used: a face that only lists things never loads them.
    """

    def __init__(
        self, paths: Paths, environ: Mapping[str, str], cwd: Path, database: Database, vault: Vault
    ) -> None:
        self.paths = paths
        self.database = database
        self.vault = vault
        self._environ = environ
        self._cwd = cwd
        self._handed_out: set[Secret] = set()
        self.settings = Settings(paths.settings)
        self.catalog_files = CatalogFiles(paths)
        self.catalog: Catalog = self.catalog_files.load()
        self.environment = self._read_environment()
        self.keys = Keys(vault, self.environment, self.settings, database)
        self.routes = RoutesFile(paths.routes)
        self.history = History(database)
        self.votes = Votes(database)
        self.lane_sets = LaneSets(database)
        self.ledger = Ledger(database)

    @classmethod
    def open(
        cls, environ: Mapping[str, str], *, cwd: Path, ask_passphrase: Callable[[bool], str] | None = None
    ) -> Desk:
        """Makes the folders where they are missing. `ask_passphrase(new)` is asked at most once a vault.

        Raises `OSError`, `DatabaseProblem`, `VaultError` and `Misconfigured`, each with a sentence.
        """
        paths = Paths.find(environ)
        paths.create()
        database = Database(paths.database)
        vault = Vault(database, open_backend(paths, environ, ask_passphrase))
        return cls(paths, environ, cwd, database, vault)

    @cached_property
    def http(self) -> Http:
        from vibedesk import __version__
        from vibedesk.engine.http import Http

        return Http(user_agent=f"VibeDesk/{__version__}")

    @cached_property
    def router(self) -> Router:
        from vibedesk.engine.router import Router

        return Router(self.http, self.secret_of)

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the user's files could not be read, one sentence each; the last good state holds."""
        found = (*self.settings.problems, *self.catalog_files.problems, *self.routes.problems)
        return (*found, self.database.problem) if self.database.problem else found

    async def secret_of(self, key: ApiKey) -> Secret:
        """The secret, at the last moment before it is needed. Raises `SecretUnavailable`."""
        secret = await asyncio.to_thread(self.keys.secret, key)
        self._handed_out.add(secret)
        return secret

    def live_secrets(self) -> tuple[str, ...]:
        """The secrets that were handed out: for the redaction of logs and messages, and nothing else."""
        return tuple(secret.reveal() for secret in self._handed_out)

    def remember_secret(self, secret: Secret) -> None:
        """From now on this is blanked in logs and messages."""
        self._handed_out.add(secret)

    def gateway(self) -> Gateway | None:
        """The AI gateway, where it is wholly set up."""
        return self.keys.gateway()

    def rungs(self, route: Route) -> tuple[Rung, ...]:
        """The deployments the route would ask now, in order, without asking any. Raises `Misconfigured`."""
        from vibedesk.engine.router import rungs_of

        return rungs_of(route, self.catalog, self.keys.usable, self.gateway())

    def route_for(
        self, model: str, *, via: str | None = None, parameters: Parameters | None = None, system: str = ""
    ) -> Route:
        """A route without a name: one model (PROVIDER/MODEL), asked as `via` says ("gateway", "direct")."""
        return Route(
            name="",
            model=model,
            provider_override=via or None,
            parameters=parameters or Parameters(),
            system=system,
        )

    def can_ask(self, provider: str) -> bool:
        """Whether there is a usable key for this provider, or it needs none."""
        known = self.catalog.provider(provider)
        return known.keyless or known.simulated or bool(self.keys.usable(known))

    async def refresh_models(self, provider: str) -> tuple[Model, ...]:
        """Asks the provider for its own list and keeps it. Raises `EngineError`; the catalog then stays as it was."""
        live = await self._list_live(self.catalog.provider(provider))
        await asyncio.to_thread(self.keep_models, provider, live)
        return live

    async def _list_live(self, provider: Provider) -> tuple[Model, ...]:
        """Goes the way an answer would go: through the gateway where one is set up."""
        from vibedesk.engine.dialects import dialect_of
        from vibedesk.engine.http import Timers
        from vibedesk.engine.transport import assert_may_send, headers_of, url_of

        [rung] = await asyncio.to_thread(self.rungs, self.route_for(f"{provider.id}/-"))
        if rung.obstacle is not None:
            raise rung.obstacle
        deployment, dialect = rung.deployment, dialect_of(provider.dialect)
        call = dialect.list_models(provider)
        url = url_of(deployment, call.path)
        assert_may_send(deployment, url)
        secret = await self.secret_of(deployment.key) if deployment.key else None
        token = await self.secret_of(deployment.gateway.token) if deployment.gateway else None
        answered = await self.http.get(
            url, headers_of(deployment, secret, token, call), timers=Timers(total_s=30.0)
        )
        if answered.status >= 300:
            raise dialect.refusal(answered.status, answered.headers, answered.body, provider)
        return dialect.read_models(answered.body, provider)

    def keep_models(self, provider: str, live: tuple[Model, ...]) -> None:
        """Takes a provider's own list into the catalog, and keeps it for the next start."""
        self.catalog = self.catalog.with_live(provider, live)
        self.catalog_files.keep_live(provider, live)

    def reload(self) -> tuple[str, ...]:
        """Reads the files that were edited since; the problems that are left, one sentence each."""
        if self.settings.changed():
            self.settings.reload()
        if self.catalog_files.changed():
            self.catalog = self.catalog_files.load()
        if self.routes.changed():
            self.routes.reload()
        self.environment = self._read_environment()
        self.keys.environment = self.environment
        return self.problems

    async def close(self) -> None:
        """Closes every socket and the database. Closing twice is no error."""
        if "http" in self.__dict__:
            await self.http.close()
        await asyncio.to_thread(self.close_files)

    def close_files(self) -> None:
        self.database.close()

    def _read_environment(self) -> Environment:
        folders = [self._cwd, *(Path(folder).expanduser() for folder in self.settings.get("keys.folders"))]
        return Environment(self.catalog.providers.values(), self._environ, folders)
