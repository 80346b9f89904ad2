"""`vibedesk doctor`: what is found, where, and what is wrong. It reads and looks; it sends nothing."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from vibedesk import __version__
from vibedesk.desk import Desk
from vibedesk.store.lockbox import MADE_LATER
from vibedesk.store.paths import Paths
from vibedesk.store.place import FILE
from vibedesk.terminal.output import Output
from vibedesk.terminal.unlock import asker
from vibedesk.terminal.window import display_problem, qt_problem


class Finding(Struct, frozen=True):
    """`fix` is what to do, "" where there is nothing to do; `ok` False = something does not work as it should."""

    name: str
    ok: bool
    message: str
    fix: str = ""


def doctor(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Looks at everything; 1 when something is wrong."""
    return _tell(list(_findings(desk)), output)


def without_a_desk(output: Output, why: str, fix: str) -> int:
    """What can still be looked at where nothing could be opened, and why that was."""
    found = [_version()]
    with suppress(OSError):  # a home that is named from a working folder which is gone
        found += _folders(Paths.find(os.environ))
    return _tell([*found, Finding("start", False, why, fix), _window()], output)


def _tell(found: Sequence[Finding], output: Output) -> int:
    if output.as_json:
        output.json([{"name": f.name, "ok": f.ok, "message": f.message, "fix": f.fix or None} for f in found])
    else:
        width = max(len(finding.name) for finding in found)
        for finding in found:
            mark = output.styled("ok", "ok") if finding.ok else output.styled("!!", "bad")
            output.line(f"{mark}  {finding.name.ljust(width)}  {finding.message}")
            if finding.fix:
                output.line(f"{' ' * (width + 6)}{output.styled(finding.fix, 'dim')}")
    return 0 if all(finding.ok for finding in found) else 1


def _findings(desk: Desk) -> Iterator[Finding]:
    yield _version()
    yield from _folders(desk.paths)
    yield from _files(desk)
    yield _vault(desk)
    yield from _keys(desk)
    yield from _clear_files(desk)
    yield _gateway(desk)
    yield _window()


def _version() -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("version", True, f"VibeDesk {__version__}, Python {python}, {sys.platform}")


def _folders(paths: Paths) -> Iterator[Finding]:
    for name in ("config", "data", "cache", "logs"):
        folder: Path = getattr(paths, name)
        fix = _closed(folder)
        yield Finding(name, not fix, str(folder), fix)


def _closed(folder: Path) -> str:
    """What to do where nothing can be written to `folder`, or to where it is to be made; "" where something can."""
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    elsewhere = ", or set VIBEDESK_HOME to another folder"
    if not os.path.isdir(there):
        return f"Move {there} away, for it is no folder{elsewhere}"
    return "" if os.access(there, os.W_OK) else f"Make it writable: chmod u+w {there}{elsewhere}"


def _files(desk: Desk) -> Iterator[Finding]:
    """The files that people edit, and the database."""
    named = (
        ("settings", desk.paths.settings, desk.settings.problems),
        ("providers", desk.paths.providers, desk.catalog_files.problems),
        ("routes", desk.paths.routes, desk.routes.problems),
    )
    for name, path, problems in named:
        if problems:
            yield Finding(
                name, False, " ".join(problems), f"Correct {path}; until then the last good state holds"
            )
        else:
            yield Finding(name, True, str(path) if path.exists() else f"no {path.name}, so the defaults hold")
    problem = desk.database.problem
    yield Finding("database", not problem, problem or str(desk.paths.database))


def _vault(desk: Desk) -> Finding:
    state = desk.vault.state()
    kept = len(desk.vault.keys())
    where = state.where or "no keychain"
    keys = f"{kept} keys" if kept != 1 else "1 key"
    match state.kind:
        case "ready":
            return Finding("vault", True, f"{where}: {keys}")
        case "locked" if state.is_file and (fix := _no_passphrase()):
            return Finding("vault", False, f"{where}, locked: {keys}. {state.reason}", fix)
        case "locked":
            return Finding(
                "vault", True, f"{where}, locked: {keys}", "It asks for its passphrase when a key is needed"
            )
        case "absent" if state.is_file and state.reason != MADE_LATER:
            return Finding("vault", False, f"{where}: {state.reason}", _no_passphrase())
        case "absent" if state.where:
            return Finding("vault", not kept, f"{where}: made when the first key is added")
    if desk.vault.makes_file and not kept:
        file = desk.vault.file_state()
        if file.reason != MADE_LATER:
            return Finding("vault", False, f"{where}. {FILE}: {file.reason}", _no_passphrase())
        return Finding("vault", True, f"{where}. {FILE}: made when the first key is added")
    fix = "VIBEDESK_VAULT=file keeps keys in an encrypted file instead" if state.offer_file else ""
    return Finding("vault", False, f"{where}: {state.reason}", fix)


def _no_passphrase() -> str:
    """What to do for the passphrase of a file that stayed locked, "" where it is asked for when it is needed."""
    if os.environ.get("VIBEDESK_PASSPHRASE_FILE", "").strip():
        return "Correct what VIBEDESK_PASSPHRASE_FILE names, or unset it to be asked on a terminal"
    return "" if asker() else "Set VIBEDESK_PASSPHRASE_FILE to a file that holds its passphrase"


def _keys(desk: Desk) -> Iterator[Finding]:
    keys = desk.keys.all()
    for provider in dict.fromkeys(key.provider for key in keys):
        own = [f"{key.name} ({key.source}, {key.state})" for key in keys if key.provider == provider]
        yield Finding(f"keys {provider}", True, ", ".join(own))
    if not keys:
        yield Finding("keys", True, "none found", "Add one: vibedesk keys add PROVIDER")
    for problem in desk.environment.problems:
        yield Finding("keys", False, problem)


def _clear_files(desk: Desk) -> Iterator[Finding]:
    for path in desk.environment.files_with_keys:
        others = os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        message = f"{path} holds keys in the clear" + (
            " and others on this machine can read it" if others else ""
        )
        fix = f"chmod 600 {path}" if others else "Move them into the vault: vibedesk keys add PROVIDER"
        yield Finding("clear text", not others, message, fix)


def _gateway(desk: Desk) -> Finding:
    gateway = desk.gateway()
    if gateway is not None:
        whose = "" if gateway.carries is None else f", for the keys of {gateway.token.source} alone"
        return Finding(
            "gateway", True, f"{gateway.account[:8]}…/{gateway.name}, token {gateway.token.name}{whose}"
        )
    account, name = desk.settings.get("gateway.account"), desk.settings.get("gateway.name")
    if account and name:
        fix = "Add its token: vibedesk keys add cloudflare-ai-gateway"
        return Finding(
            "gateway", False, f"{account[:8]}…/{name} is set up, but has no token for its address", fix
        )
    if account or name:
        missing = "gateway.name" if account else "gateway.account"
        return Finding(
            "gateway", False, f"half set up: {missing} is missing", f"Add it to {desk.paths.settings}"
        )
    return Finding("gateway", True, "none set up: every call goes direct")


def _window() -> Finding:
    problem = qt_problem(os.environ) or display_problem(os.environ)
    if problem:
        return Finding(
            "window", True, f"none here: {problem}", "The commands of this terminal work without it"
        )
    return Finding("window", True, "Qt and a display are there")
