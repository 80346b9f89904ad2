"""Keys that lie about: in the environment of the process, and in the .dev.vars and .env files of some folders."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.catalog import clean_key, hint_of, origin_of
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.pasted import SHORTEST_KEY
from vibedesk.engine.provider_blocks import is_loopback
from vibedesk.engine.types import ApiKey, Gateway, Provider, Secret
from vibedesk.store.settings import GATEWAY_BASE_URL

FILES = (".dev.vars", ".env")
LARGEST = 1 << 20
GATEWAY = "cloudflare-ai-gateway"
"""The provider name under which the AI gateway's own token is kept."""

_TOKEN = "CLOUDFLARE_AI_GATEWAY_TOKEN"
_PLACEHOLDER = re.compile(
    r"default|none|null|changeme|placeholder|.*(\.\.\.|…).*|<.*>|\$\{.*|your[-_ ].*", re.I
)


class Source(Struct, frozen=True):
    """Where variables stand: the environment, or one file. `name` is what `ApiKey.source` says."""

    name: str
    prefix: str
    suffix: str
    path: Path | None
    chosen: bool = True
    """False for a file that lay in the working folder, which nobody has named."""


class Look(Struct, frozen=True):
    """What one source held when it was last read; no secret."""

    keys: tuple[ApiKey, ...]
    gateway: Gateway | None
    problems: tuple[str, ...]


class Environment:
    """The keys of `providers` found in `environ` and in the files of `folders` (the working folder first).

    A file is read again when it changed, so an edit is seen at once; nothing is written and no variable is set.
    """

    def __init__(
        self, providers: Iterable[Provider], environ: Mapping[str, str], folders: Sequence[Path]
    ) -> None:
        self._owners = _owners(providers)
        self._environ = environ
        self._sources = tuple(_sources(folders))
        self._looks: dict[Source, tuple[object, Look]] = {}

    def keys(self) -> tuple[ApiKey, ...]:
        """The environment's first, then file by file, each in the order of the providers."""
        return tuple(key for source in self._sources for key in self._look(source).keys)

    def secret(self, key: ApiKey) -> Secret:
        """What the variable holds now. Raises `KeyError` when it is gone or belongs to another origin."""
        for source in self._sources:
            for found, secret in self._found(source, self._variables(source, [])):
                if found.id == key.id and found.origin == key.origin:
                    return secret
        raise KeyError(key.id)

    @property
    def files_with_keys(self) -> tuple[Path, ...]:
        """The files at least one key stands in."""
        return tuple(source.path for source in self._sources if source.path and self._look(source).keys)

    def keys_by_file(self) -> tuple[tuple[Path, int], ...]:
        """The files keys stand in, and how many in each."""
        looks = ((source.path, len(self._look(source).keys)) for source in self._sources)
        return tuple((path, count) for path, count in looks if path is not None and count)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, one sentence each."""
        return tuple(problem for source in self._sources for problem in self._look(source).problems)

    def gateway(self) -> Gateway | None:
        """The AI gateway, where one source alone sets up all of it; the environment goes first.

        A file that merely lay in the working folder says whose gateway its own keys go through, and no others: a
        folder that was cloned must not be able to lead the vault's keys, and what is asked with them, to its author.
        """
        return next(filter(None, (self._look(source).gateway for source in self._sources)), None)

    def _look(self, source: Source) -> Look:
        signature = _signature(source)
        known = self._looks.get(source)
        if known is None or known[0] != signature:
            problems: list[str] = []
            variables = self._variables(source, problems)
            keys = tuple(key for key, _ in self._found(source, variables))
            gateway = _gateway_in(variables, source)
            if gateway is not None and not source.chosen:
                gateway = replace(gateway, carries=frozenset(key.id for key in keys))
            known = signature, Look(keys, gateway, tuple(problems))
            self._looks[source] = known
        return known[1]

    def _found(self, source: Source, variables: Mapping[str, str]) -> Iterator[tuple[ApiKey, Secret]]:
        seen: set[tuple[str, str]] = set()
        for name, owner, origin, suffix in self._owners:
            secret = _key_in(variables.get(name, ""))
            if secret and (owner, secret) not in seen:
                seen.add((owner, secret))
                yield _api_key(source, name, owner, origin, secret, suffix), Secret(secret)
        token = _key_in(variables.get(_TOKEN, ""))
        base_url = _gateway_base(variables, source)
        if token and base_url is not None:
            yield _api_key(source, _TOKEN, GATEWAY, origin_of(base_url[0]), token), Secret(token)

    def _variables(self, source: Source, problems: list[str]) -> Mapping[str, str]:
        return self._environ if source.path is None else read_variables(source.path, problems)


def _signature(source: Source) -> object:
    """Changes with the file; None for a file that is not there, and for the environment, which never changes."""
    try:
        facts = source.path.stat() if source.path is not None else None
    except OSError:
        return None
    return facts and (facts.st_mtime_ns, facts.st_size, facts.st_ino)


def read_variables(path: Path, problems: list[str]) -> dict[str, str]:
    """The variables of a dotenv file: quotes, `export`, comments, CRLF and a byte order mark as people write them.

    A file that is missing has none; what cannot be read adds a sentence to `problems`.
    """
    try:
        text = read_text_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as problem:
        said = (
            (problem.strerror or "it cannot be read").lower()
            if isinstance(problem, OSError)
            else str(problem)
        )
        problems.append(f"{path} was skipped: {said}.")
        return {}
    from dotenv.parser import parse_stream

    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(f"{path}, line {binding.original.line}, is not NAME=value and was skipped.")
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
    return variables


def read_text_of(path: Path) -> str:
    """A regular file of at most 1 MiB of UTF-8, without its byte order mark. Raises `OSError`, `ValueError`."""
    # Not blocking, for a pipe of that name would otherwise hold us until somebody writes into it.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is not a regular file")
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("it is larger than 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError("it is not UTF-8 text") from problem


def _sources(folders: Sequence[Path]) -> Iterator[Source]:
    yield Source("environment", "env:", "", None)
    seen: set[Path] = set()
    whole = [folder.expanduser().resolve() for folder in folders]
    for number, resolved in enumerate(whole):
        if resolved in seen:
            continue
        seen.add(resolved)
        suffix = f":{hashlib.sha256(os.fsencode(resolved)).hexdigest()[:8]}" if number else ""
        for name in FILES:
            yield Source(name, f"file:{name}:", suffix, resolved / name, resolved in whole[1:])


def _owners(providers: Iterable[Provider]) -> tuple[tuple[str, str, str, str], ...]:
    """(variable, provider, the only origin it may go to, suffix of the id), bundled providers first.

    A bundled provider's variable stays bound to that provider's origin, whoever else lists it.
    """
    ordered = sorted(providers, key=lambda provider: not provider.bundled)
    origins: dict[str, str] = {}
    owners = []
    for provider in ordered:
        for name in provider.env:
            suffix = f"@{provider.id}" if name in origins else ""
            origin = origins.setdefault(name, origin_of(provider.base_url))
            owners.append((name, provider.id, origin, suffix))
    return tuple(owners)


def _key_in(value: str) -> str:
    """The key a variable holds, "" for none and for what only holds the place of one."""
    try:
        key = clean_key(value)
    except Misconfigured:
        return ""
    return "" if len(key) < SHORTEST_KEY or _PLACEHOLDER.fullmatch(key) else key


def _api_key(source: Source, name: str, owner: str, origin: str, secret: str, suffix: str = "") -> ApiKey:
    return ApiKey(
        id=f"{source.prefix}{name}{source.suffix}{suffix}",
        provider=owner,
        label=name,
        hint=hint_of(secret),
        source=source.name,
        origin=origin,
    )


def _gateway_in(variables: Mapping[str, str], source: Source) -> Gateway | None:
    token, base_url = _key_in(variables.get(_TOKEN, "")), _gateway_base(variables, source)
    if not token or base_url is None:
        return None
    url, account, name = base_url
    account = account or _set(variables, "CLOUDFLARE_ACCOUNT_ID")
    name = name or _set(variables, "CLOUDFLARE_AI_GATEWAY")
    if not account or not name:
        return None
    key = _api_key(source, _TOKEN, GATEWAY, origin_of(url), token)
    return Gateway(account=account, name=name, token=key, base_url=url)


def _gateway_base(variables: Mapping[str, str], source: Source) -> tuple[str, str, str] | None:
    """Base URL, account and name out of `CLOUDFLARE_AI_GATEWAY_URL`; None where it may not be used.

    Every provider's key passes through the gateway. A file in a folder that was merely cloned must not be able
    to send them to a host of its choice, so only the environment may name one other than Cloudflare's or this machine.
    """
    given = _set(variables, "CLOUDFLARE_AI_GATEWAY_URL").rstrip("/")
    if not given:
        return GATEWAY_BASE_URL, "", ""
    try:
        origin = origin_of(given)
    except Misconfigured:
        return None
    ours = origin == origin_of(GATEWAY_BASE_URL) or is_loopback(given)
    if (source.path is not None and not ours) or (origin.startswith("http:") and not is_loopback(given)):
        return None
    whole = re.fullmatch(r"(https?://.+?/v1)(?:/([^/?#]+)(?:/([^/?#]+).*)?)?", given)
    return (whole[1], whole[2] or "", whole[3] or "") if whole else (given, "", "")


def _set(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip().strip("\"'")
    return "" if value.lower() in ("none", "default", "null") else value
