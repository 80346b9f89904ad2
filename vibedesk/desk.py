"""The desk: everything under the faces, built once and handed to whoever shows it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from vibedesk.engine.allowance import UNLIMITED, Use, uses_of
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.types import ApiKey, Gateway, Model, Parameters, Provider, Route, Rung, Secret
from vibedesk.engine.world import World
from vibedesk.log import Fingerprint, fingerprints
from vibedesk.store.answers import Answers
from vibedesk.store.catalog import CatalogFiles
from vibedesk.store.database import Database, DatabaseProblem
from vibedesk.store.environment import Environment
from vibedesk.store.history import History
from vibedesk.store.keys import Keys
from vibedesk.store.lane_sets import LaneSets
from vibedesk.store.ledger import Ledger
from vibedesk.store.paths import Paths
from vibedesk.store.presets import PresetsFile
from vibedesk.store.prompts import PromptsFile
from vibedesk.store.routes import RoutesFile
from vibedesk.store.settings import Settings
from vibedesk.store.standing import Standing
from vibedesk.store.vault import Vault, open_backend
from vibedesk.store.votes import Votes

if TYPE_CHECKING:
    from vibedesk.engine.cache import Cache
    from vibedesk.engine.explain import Explanation
    from vibedesk.engine.http import Http
    from vibedesk.engine.kept import Kept
    from vibedesk.engine.router import Router

T = TypeVar("T")

_log = logging.getLogger(__name__)


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
        self._let_go: set[Fingerprint] = set()
        self._exchanging = threading.Lock()
        """Held while the catalog is made into another one: threads that check keys do so at the same time."""
        self.settings = Settings(paths.settings)
        self.catalog_files = CatalogFiles(paths)
        self.catalog: Catalog = self.catalog_files.load()
        self.environment = self._read_environment()
        self.keys = Keys(vault, self.environment, self.settings, database)
        self.routes = RoutesFile(paths.routes)
        self.prompts = PromptsFile(paths.prompts)
        self.presets = PresetsFile(paths.presets)
        self.history = History(database)
        self.votes = Votes(database)
        self.lane_sets = LaneSets(database)
        self.ledger = Ledger(database)
        self.standing = Standing(database)
        self.answers = Answers(database)

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

        return Router(self.http, self.secret_of, memory=_Memory(self))

    @property
    def has_asked(self) -> bool:
        """Whether anybody was asked since the start."""
        return "router" in self.__dict__

    def network_changed(self) -> None:
        """The machine is on another network: nobody is left alone for what happened on the one before."""
        if self.has_asked:
            self.router.network_changed()

    def key_changed(self, key_id: str) -> None:
        """The key was edited, or a check found it good: whatever was held against it is forgotten."""
        if "router" in self.__dict__:
            self.router.key_changed(key_id)

    @cached_property
    def cache(self) -> Cache:
        """Where questions are asked: the router, or what it said before where the route wants that."""
        from vibedesk.engine.cache import Cache

        return Cache(self.router, self._find_answer, self._keep_answer)

    async def _find_answer(self, key: str, ttl_s: int) -> Kept | None:
        try:
            return await asyncio.to_thread(self.answers.find, key, ttl_s)
        except DatabaseProblem as problem:
            _log.warning("the answer cache could not be read: %s", problem)
            return None

    async def _keep_answer(self, key: str, kept: Kept) -> bool:
        try:
            await asyncio.to_thread(self.answers.keep, key, kept)
        except DatabaseProblem as problem:
            _log.warning("an answer was not kept: %s", problem)
            return False
        return True

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment the program was started with."""
        return self._environ

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the user's files could not be read, one sentence each; the last good state holds."""
        found = (*self.settings.problems, *self.catalog_files.problems, *self.routes.problems)
        return (*found, self.database.problem) if self.database.problem else found

    async def secret_of(self, key: ApiKey) -> Secret:
        """The secret, at the last moment before it is needed. Raises `SecretUnavailable`."""
        secret = await _in_its_own_thread(partial(self.keys.secret, key))
        self._handed_out.add(secret)
        return secret

    def live_secrets(self) -> tuple[str | Fingerprint, ...]:
        """The secrets that were handed out: for the redaction of logs and messages, and nothing else. Of those from
        before the vault was locked, what knows them again."""
        handed_out, let_go = self._handed_out.copy(), self._let_go.copy()  # another thread may add to them
        return (*(secret.reveal() for secret in handed_out), *let_go)

    def remember_secret(self, secret: Secret) -> None:
        """From now on this is blanked in logs and messages."""
        self._handed_out.add(secret)

    async def lock(self) -> None:
        """Locks the vault, lets go of every secret, and closes the connections over which none is in use now.

        Answers that are being read go on to their end, and who is asked anew is handed a secret anew.
        """
        await asyncio.to_thread(self.vault.lock)
        for secret in self._handed_out.copy():
            self._let_go.update(fingerprints(secret.reveal()))  # first: at no moment is it unknown
            self._handed_out.discard(secret)
        if "http" in self.__dict__:
            await self.http.close_idle()

    def gateway(self) -> Gateway | None:
        """The AI gateway, where it is wholly set up."""
        return self.keys.gateway()

    def rungs(self, route: Route) -> tuple[Rung, ...]:
        """The deployments the route would ask now, in order, without asking any. Raises `Misconfigured`."""
        from vibedesk.engine.fitting import fitted
        from vibedesk.engine.router import rungs_of

        rungs = rungs_of(route, self.catalog, self.keys.usable, self.gateway())
        return fitted(rungs, route, today=date.today())

    def explain(self, route: Route, faults: Mapping[str, str] | None = None) -> Explanation:
        """What asking the route would do now, with what is known of everybody, or if these faults happened.

        Sends nothing. Raises `Misconfigured` for a fault nobody knows; see `engine.explain.explain`.
        """
        from vibedesk.engine.explain import explain

        rungs = self.rungs(route)
        recalled = "router" in self.__dict__ and self.router.recalled
        world = self.router.world if recalled else self.standing.load()
        limited = [
            key for rung in rungs if (key := rung.deployment.key) is not None and key.limits != UNLIMITED
        ]
        new = list({key.id for key in limited} - world.uses.keys())
        now = datetime.now(UTC)
        past = self.ledger.uses_by_key(new, month_of(now)) if new else {}
        uses = {id: uses_of(past.get(id, ()), now.timestamp()) for id in new}
        return explain(rungs, replace(world, uses=world.uses | uses), faults, now=now.timestamp())

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
        return known.keyless or known.simulated or bool(self.keys.usable(known)) or self._gateway_has(known)

    def _gateway_has(self, provider: Provider) -> bool:
        """Whether the gateway keeps the provider's key, so that none is needed here."""
        from vibedesk.engine.transport import choose

        gateway = self.gateway()
        return gateway is not None and gateway.stored_keys and choose(provider, None, gateway)[0] == "gateway"

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

        rung, *_ = await asyncio.to_thread(self.rungs, self.route_for(f"{provider.id}/-"))
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
        with self._exchanging:
            self.catalog = self.catalog.with_live(provider, live)
            self.catalog_files.keep_live(provider, live)

    def reload(self) -> tuple[str, ...]:
        """Reads the files that were edited since; the problems that are left, one sentence each."""
        if self.settings.changed():
            self.settings.reload()
        if self.catalog_files.changed():
            with self._exchanging:
                self.catalog = self.catalog_files.load()
        if self.routes.changed():
            self.routes.reload()
        self.environment = self._read_environment()
        self.keys.environment = self.environment
        return self.problems

    async def close(self) -> None:
        """Closes every socket and the database. Closing twice is no error."""
        if "router" in self.__dict__:
            await self.router.keep()
        if "http" in self.__dict__:
            await self.http.close()
        await asyncio.to_thread(self.close_files)

    def close_files(self) -> None:
        self.database.close()

    def _read_environment(self) -> Environment:
        folders = [self._cwd, *(Path(folder).expanduser() for folder in self.settings.get("keys.folders"))]
        return Environment(self.catalog.providers.values(), self._environ, folders)


async def _in_its_own_thread(work: Callable[[], T]) -> T:
    """As `asyncio.to_thread`, but the loop's end does not wait for it: it may be asking a person who wants to go."""
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()

    def run() -> None:
        failure: BaseException | None = None
        try:
            value = work()
        except BaseException as problem:
            failure = problem  # handed on to the task that waits
        if failure is None:
            answer.set_result(value)
        else:
            answer.set_exception(failure)

    threading.Thread(target=run, name="secret", daemon=True).start()
    return await asyncio.wrap_future(answer)


def month_of(now: datetime) -> datetime:
    """When the calendar month began, in UTC: a key's budget counts from there."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class _Memory:
    """What the router keeps, in the database: read and written in threads. A database that fails costs only memory."""

    def __init__(self, desk: Desk) -> None:
        self._standing, self._ledger = desk.standing, desk.ledger

    async def recall(self) -> World:
        try:
            return await asyncio.to_thread(self._standing.load)
        except DatabaseProblem:
            return World()

    async def keep(self, world: World) -> None:
        with suppress(DatabaseProblem):
            await asyncio.to_thread(self._standing.save, world)

    async def uses(self, key_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        try:
            return await asyncio.to_thread(self._ledger.uses_by_key, key_ids, month_of(datetime.now(UTC)))
        except DatabaseProblem:
            return {}
