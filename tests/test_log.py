"""The log: no key in it by any way, and every crash in it."""

from __future__ import annotations

import base64
import logging
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.vault_contract import assert_no_trace, traces_of
from vibedesk.log import FRAGMENT, REDACTED, RedactingFile, fingerprints, redact

ROOT = Path(__file__).parents[1]
KEY = "sk-proj-" + "AbCdEfGhIj0123456789" * 4
OPAQUE = "Zq9/x+Yw4" * 5
"""Looks like nothing: only by its value can it be known."""


@pytest.mark.parametrize(
    "shape",
    [
        "sk-proj-" + "a" * 60,
        "sk-ant-api03-" + "x" * 93 + "AA",
        "sk-or-v1-" + "0" * 64,
        "gsk_" + "a" * 52,
        "csk-" + "a" * 48,
        "tgp_v1_" + "a" * 43,
        "AQ.Ab8RN6" + "a" * 44,
        "AIza" + "a" * 35,
        "xai-" + "a" * 80,
        "cfut_" + "a" * 48,
        "0" * 32 + "." + "a" * 24,
    ],
)
def test_what_looks_like_a_key_is_taken_out_without_being_known(shape: str) -> None:
    assert redact(f"Incorrect API key provided: {shape}.") == f"Incorrect API key provided: {REDACTED}."
    assert shape[-12:] not in redact(f'{{"key":"{shape}"}}')


@pytest.mark.parametrize(
    "words",
    [
        "authorization: Bearer " + OPAQUE,
        f"{{'x-api-key': '{OPAQUE}'}}",
        f"[(b'x-goog-api-key', b'{OPAQUE}')]",
        f'"cf-aig-authorization": "Bearer {OPAQUE}"',
        f"Headers({{'api-key': '{OPAQUE}', 'accept': '*/*'}})",
        f"got Bearer {OPAQUE} instead",
        f"https://host/v1/models?key={OPAQUE}&alt=sse",
        f"https://me:{OPAQUE}@host/".replace("/x", "-x"),
    ],
)
def test_what_stands_in_a_keys_place_is_taken_out_without_being_known(words: str) -> None:
    assert REDACTED in redact(words)
    assert not any(
        trace.decode("latin-1") in redact(words) for trace in (OPAQUE[-12:].encode(), OPAQUE[:12].encode())
    )


@pytest.mark.parametrize(
    "words",
    [
        "The model gpt-4.1-mini does not exist.",
        "x-api-key header is required",
        "invalid x-api-key",
        "request_id: req_011CQ2x7gq9WPMKyXRyzSU1v",
        "sk-proj-…a1b2 is the hint",
        "Rate limit reached for gpt-6-luna in organization org-abc on tokens per min: Limit 30000, Used 29000.",
        "authorization failed",
        "https://platform.openai.com/account/api-keys",
    ],
)
def test_plain_words_stay(words: str) -> None:
    assert redact(words, [KEY, OPAQUE]) == words


@pytest.mark.parametrize("form", list(traces_of(OPAQUE)))
def test_a_live_key_is_taken_out_in_every_form(form: str) -> None:
    whole = {
        "utf-8": OPAQUE,
        "utf-16": OPAQUE.encode("utf-16-le").decode("latin-1"),
        "base64": base64.b64encode(OPAQUE.encode()).decode(),
        "base64, one byte later": base64.b64encode(f":{OPAQUE}".encode()).decode(),
        "base64, two bytes later": base64.b64encode(f"a:{OPAQUE}".encode()).decode(),
        "hex": OPAQUE.encode().hex(),
        "HEX": OPAQUE.encode().hex().upper(),
        "percent": quote(OPAQUE, safe=""),
        "last 12": OPAQUE[-12:],
    }[form]
    told = redact(f"<{whole}>", [OPAQUE]).encode("latin-1")
    assert traces_of(OPAQUE)[form] not in told
    assert REDACTED.encode() in told


@given(st.integers(0, len(OPAQUE) - FRAGMENT), st.integers(FRAGMENT, len(OPAQUE)), st.text(max_size=5))
def test_no_long_piece_of_a_live_key_survives(start: int, length: int, around: str) -> None:
    piece = OPAQUE[start : start + length]
    told = redact(f"{around} {piece} {around}", [OPAQUE])
    assert not any(OPAQUE[at : at + FRAGMENT] in told for at in range(len(OPAQUE) - FRAGMENT + 1))


@pytest.mark.parametrize("form", [form for form in traces_of(OPAQUE) if form != "last 12"])
def test_a_key_that_was_let_go_is_taken_out_in_every_form(form: str) -> None:
    trace = traces_of(OPAQUE)[form]
    whole = {
        "base64": base64.b64encode(OPAQUE.encode()),
        "base64, one byte later": base64.b64encode(f":{OPAQUE}".encode()),
        "base64, two bytes later": base64.b64encode(f"a:{OPAQUE}".encode()),
    }.get(form, trace)
    assert trace in whole
    told = redact(f"<{whole.decode('latin-1')}> <{whole.decode('latin-1')}>", fingerprints(OPAQUE))
    assert trace not in told.encode("latin-1")
    assert told.count(REDACTED) == 2


def test_what_is_left_of_a_key_that_was_let_go_holds_no_more_than_its_end() -> None:
    left = list(fingerprints(KEY))
    assert not [mark for mark in left if KEY[-12:-4] in repr(mark) or len(mark.tail) > 4]
    assert redact("nothing of it, nor of " + KEY[-4:], left) == "nothing of it, nor of " + KEY[-4:]
    assert list(fingerprints("short")) == []


def test_one_key_inside_another_leaves_no_rest() -> None:
    longer = OPAQUE + "tail-of-it-0123456789"
    assert redact(f"<{longer}>", [OPAQUE, longer]) == f"<{REDACTED}>"


def test_a_value_too_short_for_a_key_does_not_blank_the_log() -> None:
    assert redact("a banana", ["a", ""]) == "a banana"


def logger_to(path: Path, *live: str) -> tuple[logging.Logger, RedactingFile]:
    handler = RedactingFile(path, lambda: live)
    logger = logging.getLogger(f"test.{path.parent.name}")
    logger.propagate = False
    logger.addHandler(handler)
    return logger.getChild("child"), handler


def test_the_handler_redacts_message_arguments_exception_and_stack(tmp_path: Path) -> None:
    logger, handler = logger_to(tmp_path / "log" / "file", KEY, OPAQUE)
    (tmp_path / "log").mkdir()
    logger.warning("said %s", KEY)
    logger.warning("%r", {"x-api-key": OPAQUE})
    try:
        raise ValueError(f"Illegal header value b'{OPAQUE}'")
    except ValueError:
        logger.exception("failed", stack_info=True)
    handler.close()
    text = (tmp_path / "log" / "file").read_text()
    assert text.count(REDACTED) >= 3
    assert "ValueError: Illegal header value" in text
    assert_no_trace(tmp_path, KEY, OPAQUE)


def test_no_line_of_a_message_passes_for_an_entry_of_its_own(tmp_path: Path) -> None:
    logger, handler = logger_to(tmp_path / "file")
    logger.warning("first\n2026-01-01 00:00:00,000 ERROR forged: entry\r\x1b[31mred\x85")
    handler.close()
    assert len([line for line in (tmp_path / "file").read_bytes().split(b"\n") if line[:1].isdigit()]) == 1
    assert not {0x1B, 0x0D, 0x85} & set((tmp_path / "file").read_bytes())


def test_the_file_is_for_its_owner_alone_and_turns_over(tmp_path: Path) -> None:
    logger, handler = logger_to(tmp_path / "file")
    handler.maxBytes = 2000
    for number in range(100):
        logger.warning("line %d \ud83d %s", number, "x" * 50)
    handler.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "file.1", "file.2", "file.3"]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in tmp_path.iterdir()} == {0o600}


def run(tmp_path: Path, program: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """What a program with the log set up printed, and what the log says."""
    start = f"""
    import asyncio, logging, sys, threading, warnings
    from pathlib import Path
    from vibedesk import log
    from vibedesk.store.paths import Paths
    KEY = {KEY[:20]!r} + {KEY[20:]!r}
    paths = Paths.find({{"VIBEDESK_HOME": sys.argv[1]}})
    paths.create()
    log.set_up(paths, live_secrets=lambda: [KEY])
    """
    code = textwrap.dedent(start) + textwrap.dedent(program)
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert KEY[-12:] not in ended.stdout + ended.stderr
    assert_no_trace(tmp_path, KEY)
    return ended, (tmp_path / "logs" / "vibedesk.log").read_text()


def test_an_uncaught_exception_is_logged_and_printed_without_the_key_and_without_locals(
    tmp_path: Path,
) -> None:
    ended, text = run(tmp_path, "def f(secret):\n    raise RuntimeError('bad ' + secret)\nf(KEY)")
    assert ended.returncode == 1
    for told in (ended.stderr, text):
        assert f"RuntimeError: bad {REDACTED}" in told
        assert "secret = " not in told


def test_threads_finalisers_warnings_and_the_loop_end_up_in_the_log(tmp_path: Path) -> None:
    program = """
    def fail(where):
        raise OSError(f"{where} {KEY}")

    thread = threading.Thread(target=fail, args=("thread",))
    thread.start()
    thread.join()

    class Final:
        def __del__(self):
            fail("finaliser")

    Final()
    warnings.warn("warned " + KEY)

    async def main():
        asyncio.get_running_loop().set_exception_handler(log.note_loop_failure)
        asyncio.get_running_loop().call_soon(fail, "loop")
        await asyncio.sleep(0.01)

    asyncio.run(main())
    logging.getLogger("httpx").info("HTTP Request: GET https://host/?key=" + KEY)
    logging.getLogger("vibedesk").info("done")
    """
    ended, text = run(tmp_path, program)
    assert ended.returncode == 0
    for told in (
        "OSError: thread",
        "OSError: finaliser",
        f"warned {REDACTED}",
        "OSError: loop",
        "vibedesk: done",
    ):
        assert told in text
    assert "HTTP Request" not in text


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_there_is_no_core_dump_and_no_look_into_the_memory(tmp_path: Path) -> None:
    program = """
    import ctypes, resource
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
    logging.getLogger("vibedesk").info("here")
    """
    ended, _ = run(tmp_path, program)
    assert ended.stdout.strip() == "(0, 0) 0"


def test_importing_it_loads_no_qt_and_no_network() -> None:
    heavy = ("PySide6", "httpx", "asyncio", "keyring")
    code = f"import sys, vibedesk.log; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    assert ended.stdout.strip() == "[]"
