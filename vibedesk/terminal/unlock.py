"""The passphrase of the encrypted file: asked for on the terminal itself, before anything else goes on."""

from __future__ import annotations

import atexit
import getpass
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from vibedesk.desk import Desk
from vibedesk.engine.errors import SecretUnavailable
from vibedesk.engine.types import ApiKey, Rung

TRIES = 3


def asker() -> Callable[[bool], str] | None:
    """What asks for a passphrase, or None where there is no terminal to ask on."""
    return _ask if _has_terminal() else None


def _ask(new: bool) -> str:
    """`new`: the vault is being made, so the passphrase is asked for twice. Ctrl+D gives none."""
    while True:
        try:
            given = _typed("New passphrase for the key vault: " if new else "Passphrase of the key vault: ")
            if not new or (given and given == _typed("The same once more: ")):
                return given
        except EOFError:
            print(file=sys.stderr)
            return ""
        print("The two differ, or are empty." if given else "It cannot be empty.", file=sys.stderr)


def _typed(question: str) -> str:
    """What is typed, unseen. Whoever ends the program meanwhile sees again what they type: a thread that still waits
    in getpass cannot put the terminal right."""
    if os.name != "posix":
        return getpass.getpass(question)
    import termios

    terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    put_right = partial(termios.tcsetattr, terminal, termios.TCSADRAIN, termios.tcgetattr(terminal))
    atexit.register(put_right)
    try:
        return getpass.getpass(question)
    finally:
        atexit.unregister(put_right)
        os.close(terminal)


def _has_terminal() -> bool:
    """getpass reads from the terminal itself, so that standard input stays free for a prompt or a key."""
    if os.name != "posix":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def unlock(desk: Desk, ladders: Iterable[Sequence[Rung]]) -> None:
    """Unlocks the vault where the first choice of a lane needs it, while Ctrl+C still ends the program at once."""
    able = [[rung.deployment for rung in rungs if rung.obstacle is None] for rungs in ladders]
    firsts = [deployments[0] for deployments in able if deployments]
    tokens = [first.gateway.token for first in firsts if first.gateway is not None]
    unlock_for(desk, [*(first.key for first in firsts if first.key is not None), *tokens])


def unlock_for(desk: Desk, keys: Iterable[ApiKey]) -> None:
    """Asks for the passphrase, if one of `keys` is in a locked vault.

    On a terminal three times, then it raises `SecretUnavailable`; where nobody is asked, whoever needs the key is told.
    """
    if os.environ.get("VIBEDESK_PASSPHRASE_FILE", "").strip():
        return
    kept = next((key for key in keys if key.source == "vault"), None)
    if kept is None or not _has_terminal() or desk.vault.state().kind != "locked":
        return
    for left in reversed(range(TRIES)):
        try:
            desk.keys.secret(kept)
            return
        except SecretUnavailable as error:
            if not left or error.facts.get("state") != "locked":
                raise
            print(error.detail, file=sys.stderr)
