"""The passphrase on a real terminal: asked for twice when it is new, again when it is wrong, and never shown."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from tests.providers import OpenAI
from tests.terminal.program import KEY, Program

if sys.platform != "win32":
    import termios

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

SECRET = "gsk_" + "q" * 52


def on_a_terminal(
    vibedesk: Program, words: Sequence[str], script: Sequence[tuple[str, str]]
) -> tuple[int, str]:
    """Runs the program on a terminal of its own; types each answer once its question stands there."""
    environ = {name: value for name, value in vibedesk.environ.items() if name != "VIBEDESK_PASSPHRASE_FILE"}
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "vibedesk", *words],
        cwd=vibedesk.cwd,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=lambda: os.login_tty(slave),
    )
    os.close(slave)
    os.set_blocking(master, False)
    shown, left, answered = "", list(script), 0
    until = time.monotonic() + 30
    while time.monotonic() < until:
        ended = process.poll() is not None
        try:
            shown += os.read(master, 65536).decode()
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # Linux: the other end is closed
            break
        if left and left[0][0] in shown[answered:]:
            time.sleep(0.1)  # the echo goes off after the question is written
            answered = shown.index(left[0][0], answered) + len(left[0][0])
            os.write(master, left.pop(0)[1].encode())
        if ended:
            break
    echoes = termios.tcgetattr(master)[3] & termios.ECHO
    os.close(master)
    process.kill()
    assert echoes, f"what is typed after it would not be seen: {shown}"
    return process.wait(), shown


def test_a_new_vault_asks_twice_and_shows_its_recovery_code(vibedesk: Program) -> None:
    script = [
        ("not shown", SECRET + "\n"),
        ("New passphrase", "open\n"),
        ("once more", "sesame\n"),
        ("New passphrase", "open\n"),
        ("once more", "open\n"),
    ]
    status, shown = on_a_terminal(vibedesk, ["keys", "add", "groq"], script)
    assert status == 0, shown
    assert "differ" in shown
    assert "Recovery code" in shown
    assert SECRET not in shown
    assert "sesame" not in shown


def test_a_wrong_passphrase_is_asked_for_again(vibedesk: Program) -> None:
    new = [("not shown", SECRET + "\n"), ("New passphrase", "open\n"), ("once more", "open\n")]
    assert on_a_terminal(vibedesk, ["keys", "add", "lm-studio"], new)[0] == 0
    wrong = ("Passphrase of", "shut\n")
    _, shown = on_a_terminal(vibedesk, ["keys", "check", "lm-studio"], [wrong, ("Passphrase of", "open\n")])
    assert "does not open" in shown
    assert "lm-studio" in shown
    status, shown = on_a_terminal(vibedesk, ["keys", "check", "lm-studio"], [wrong, wrong, wrong])
    assert status == 1
    assert shown.count("Passphrase of") == 3


def test_ctrl_c_at_the_question_ends_the_program(vibedesk: Program) -> None:
    status, shown = on_a_terminal(vibedesk, ["keys", "add", "groq"], [("not shown", "\x03")])
    assert status == 130
    assert "Traceback" not in shown


async def test_ctrl_c_ends_the_program_also_where_a_fallback_asks(vibedesk: Program) -> None:
    async with OpenAI(key=KEY) as lab, OpenAI(key=KEY) as attic:
        vibedesk.provide(lab=lab, attic=attic)
        vibedesk.environ |= {"LAB_API_KEY": "wrong-key-wrong", "ATTIC_API_KEY": ""}
        assert (await vibedesk("keys", "add", "attic", stdin=KEY)).status == 0
        vibedesk.write(
            "routes.toml", '[routes.fb]\nname = "lab/gpt-4.1-mini"\nfallback_model = "attic/gpt-4.1-mini"\n'
        )
        began = time.monotonic()
        status, shown = await asyncio.to_thread(
            on_a_terminal, vibedesk, ["ask", "-r", "fb", "Hi"], [("Passphrase of", "\x03")]
        )
        assert status == 130, shown
        assert "stopped" in shown
        assert time.monotonic() - began < 20
        right = await asyncio.to_thread(
            on_a_terminal, vibedesk, ["ask", "-r", "fb", "Hi"], [("Passphrase of", "correct horse\n")]
        )
        assert right[0] == 0, right[1]
