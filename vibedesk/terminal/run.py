"""One command from beginning to end: the desk opened, the command run, every failure told in one sentence."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import threading
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from vibedesk import log
from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError, UnknownProvider
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.vault import VaultError, VaultState
from vibedesk.terminal.output import Output
from vibedesk.terminal.sentences import TYPE_IT, Sentences
from vibedesk.terminal.unlock import asker

_WORKING_FOLDER = "The working folder"

Command = Callable[[argparse.Namespace, Output, Desk], int]


def run(options: argparse.Namespace) -> int:
    """The exit status. Raises `WordsOff`, `BrokenPipeError` and `KeyboardInterrupt`, and nothing else on purpose."""
    output = Output(as_json=options.json, environ=os.environ)
    _on_crash(output, None)
    try:
        desk = Desk.open(os.environ, cwd=_working_folder(), ask_passphrase=asker())
    except (EngineError, DatabaseProblem, VaultError, OSError) as problem:
        return _not_opened(options, output, problem)
    log.set_up(desk.paths, live_secrets=desk.live_secrets)
    _on_crash(output, desk.paths.logs)
    try:
        return _run(options, output, desk)
    finally:
        desk.close_files()


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as problem:
        problem.filename = _WORKING_FOLDER
        raise


def _not_opened(options: argparse.Namespace, output: Output, problem: Exception) -> int:
    """Without a desk only the doctor still has something to say."""
    if options.command == "doctor":
        from vibedesk.terminal.doctor import without_a_desk

        return without_a_desk(output, *_words(problem))
    output.error(_sentence(problem))
    return 1


def _run(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    if options.command != "doctor":
        for problem in desk.problems:
            output.note(f"vibedesk: {problem}", "warn")
    try:
        status = _command(options.run)(options, output, desk)
        output.out.flush()
        return status
    except CancelledError:
        return 130
    except BrokenPipeError:
        raise
    except EngineError as error:
        output.error(Sentences(desk).of(error))
        return 2 if isinstance(error, UnknownProvider) else 1
    except (DatabaseProblem, VaultError, OSError) as problem:
        output.error(_sentence(problem))
    return 1


def _command(name: str) -> Command:
    """ "keys.add" → the function `add` of `terminal/keys.py`, loaded when it is asked for."""
    module, _, function = name.partition(".")
    command: Command = getattr(importlib.import_module(f"vibedesk.terminal.{module}"), function)
    return command


def _sentence(problem: BaseException) -> str:
    return " ".join(_words(problem)).strip()


def _words(problem: BaseException) -> tuple[str, str]:
    """What is true, and what to do about it ("" where the first says it, or nothing helps)."""
    match problem:
        case VaultError():
            return str(problem), _way_out(problem.state)
        case OSError():
            why = problem.strerror or type(problem).__name__
            return f"{problem.filename or 'A file'} cannot be used: {why}.", _remedy(problem)
    return str(problem), ""


def _remedy(problem: OSError) -> str:
    if problem.filename == _WORKING_FOLDER:
        return "Change to another one."
    return "Make it writable, or set VIBEDESK_HOME to another folder." if problem.filename else ""


def _way_out(state: VaultState) -> str:
    """What opens, or makes, a vault that could not be used."""
    if state.kind in ("locked", "absent") and state.where:
        return TYPE_IT
    return "VIBEDESK_VAULT=file keeps keys in an encrypted file instead." if state.offer_file else ""


def _on_crash(output: Output, where: Path | None) -> None:
    """An exception nobody foresaw: logged where there is a log, one sentence here, never a traceback."""

    def told(kind: type[BaseException], exc: BaseException | None, trace: TracebackType | None) -> None:
        details = ""
        if where is not None and exc is not None:
            logging.getLogger("vibedesk.crash").critical("Uncaught", exc_info=(kind, exc, trace))
            details = f"; what happened is in {where}"
        output.error(f"something unexpected went wrong ({kind.__name__}){details}.")

    sys.excepthook = told
    threading.excepthook = lambda args: told(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: told(args.exc_type, args.exc_value, args.exc_traceback)
