"""`ask` as scripts use it: the real program, real sockets, one object a line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.providers import TEXT, Behaviour, Loopback, OpenAI
from tests.terminal.program import KEY, Program

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_one_model_streams_its_text_and_nothing_else_to_standard_output(
    vibedesk: Program, lab: OpenAI
) -> None:
    ended = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")
    assert (ended.status, ended.out) == (0, TEXT + "\n")
    assert "lab/gpt-4.1-mini · direct" in ended.err
    assert "9 in, 13 out" in ended.err


async def test_three_dialects_answer_at_the_same_time_with_right_usage(
    vibedesk: Program, three: dict[str, Loopback]
) -> None:
    models = ("a/gpt-4.1-mini", "b/claude-haiku-4-5", "c/gemini-2.5-flash")
    words = [word for model in models for word in ("-m", model)]
    ended = await vibedesk("ask", *words, "--json", "Hi")
    assert ended.status == 0
    assert [finished["outcome"] for finished in ended.finished] == ["complete"] * 3
    assert [finished["text"] for finished in ended.finished] == [TEXT] * 3
    assert [finished["model"] for finished in ended.finished] == list(models)
    assert all(finished["usage"]["output_tokens"] >= 12 for finished in ended.finished)
    deltas = [event["lane"] for event in ended.events if event["event"] == "delta"]
    changes = sum(before != after for before, after in pairwise(deltas))
    assert changes > 6, "the deltas of the lanes do not interleave"


async def test_each_lane_starts_and_finishes_exactly_once_and_ends_with_it(
    vibedesk: Program, three: dict[str, Loopback]
) -> None:
    ended = await vibedesk("ask", "-m", "a/gpt-4.1-mini", "-m", "b/claude-haiku-4-5", "--json", "Hi")
    for lane in (0, 1):
        own = [event["event"] for event in ended.events if event["lane"] == lane]
        assert own[0] == "started"
        assert own[-1] == "finished"
        assert own.count("finished") == own.count("started") == 1
        said = "".join(
            event["text"] for event in ended.events if event["lane"] == lane and event["event"] == "delta"
        )
        assert said == TEXT


async def test_the_finished_event_has_every_field_of_the_contract(vibedesk: Program, lab: OpenAI) -> None:
    [finished] = (await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--json", "Hi")).finished
    assert finished["finish_reason"] == "stop"
    assert finished["error"] is None
    assert finished["cost"] is None, "nobody knows what the lab costs: null, not zero"
    assert finished["usage"]["input_tokens"] == 9
    assert finished["usage"]["cached_tokens"] == 4
    assert finished["ttft_s"] >= 0
    assert finished["cached"] is False
    [attempt] = finished["attempts"]
    assert attempt["deployment"] == "lab/gpt-4.1-mini"
    assert attempt["status"] == 200
    assert attempt["key"] == "LAB_API_KEY …4242"
    assert attempt["request_id"] == "req_1"
    assert attempt["started_s"] <= attempt["first_token_s"] <= attempt["ended_s"]


async def test_several_lanes_for_a_person_are_blocks_in_the_order_asked(
    vibedesk: Program, three: dict[str, Loopback]
) -> None:
    ended = await vibedesk("ask", "-m", "a/gpt-4.1-mini", "-m", "c/gemini-2.5-flash", "Hi")
    assert ended.out == f"A  a/gpt-4.1-mini\n{TEXT}\n\nB  c/gemini-2.5-flash\n{TEXT}\n"


async def test_five_failures_are_told_in_five_different_true_sentences(
    vibedesk: Program, lab: OpenAI
) -> None:
    port = free_port()
    path = vibedesk.home / "config" / "providers.toml"
    off = (
        f'[providers.off]\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:{port}/v1"\nkeyless = true\n'
    )
    path.write_text(f"{path.read_text()}\n{off}")
    asked = {
        "invalid_key": ("lab/gpt-4.1-mini", {"LAB_API_KEY": "another-key-entirely"}),
        "refused": ("off/any", {}),
        "not_this_api": ("lab/html", {}),
        "cut": ("lab/cut-chunked", {}),
        "empty_answer": ("lab/empty-end", {}),
    }
    lab.behaviours["empty-end"] = Behaviour(instead="only_done")
    sentences = {}
    for kind, (model, environ) in asked.items():
        ended = await vibedesk("ask", "-m", model, "--json", "Hi", environ=environ)
        [finished] = ended.finished
        assert finished["error"]["kind"] == kind
        assert finished["outcome"] == ("cut" if kind == "cut" else "failed")
        assert ended.status == (3 if kind == "cut" else 1)
        sentences[kind] = finished["error"]["message"]
        assert sentences[kind] in (await vibedesk("ask", "-m", model, "Hi", environ=environ)).err
    assert len(set(sentences.values())) == 5
    assert "LAB_API_KEY …" in sentences["invalid_key"]
    assert "add another: vibedesk keys add lab" in sentences["invalid_key"]
    assert "127.0.0.1" in sentences["refused"]
    assert "Sign in to the network" in sentences["not_this_api"]


@pytest.mark.parametrize(
    "model", ["html", "empty", "json-error", "cut-chunked", "cut-eof", "cut-reset", "in-band"]
)
async def test_nothing_that_is_not_complete_is_called_complete(
    vibedesk: Program, lab: OpenAI, model: str
) -> None:
    ended = await vibedesk("ask", "-m", f"lab/{model}", "--json", "Hi")
    [finished] = ended.finished
    assert finished["outcome"] in ("failed", "cut")
    assert finished["error"] is not None
    assert ended.status in (1, 3)
    assert TEXT.startswith(finished["text"])


async def test_a_cut_answer_keeps_its_text(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("ask", "-m", "lab/cut-eof", "Hi")
    assert ended.status == 3
    assert TEXT.startswith(ended.out.strip())
    assert ended.out.strip()


async def test_one_lane_that_fails_leaves_the_others_alone(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("ask", "-m", "lab/fail-401", "-m", "lab/gpt-4.1-mini", "--json", "Hi")
    assert [finished["outcome"] for finished in ended.finished] == ["failed", "complete"]
    assert ended.status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_ctrl_c_keeps_the_text_so_far_and_says_stopped(vibedesk: Program, lab: OpenAI) -> None:
    lab.behaviour = Behaviour(text="word " * 500, tokens_per_s=50.0)
    process = await vibedesk.start("ask", "-m", "lab/gpt-4.1-mini", "--json", "Hi")
    assert process.stdout is not None
    events = []
    while len([event for event in events if event["event"] == "delta"]) < 3:
        events.append(json.loads(await asyncio.wait_for(process.stdout.readline(), 30)))
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    events += [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 130
    assert b"Traceback" not in err
    finished = events[-1]
    assert (finished["event"], finished["outcome"]) == ("finished", "stopped")
    assert finished["text"] == "".join(event["text"] for event in events if event["event"] == "delta")
    assert lab.asked[0].closed.is_set(), "the connection was left open"
    [(outcome, text)] = answers(vibedesk)
    assert (outcome, text) == ("stopped", finished["text"])


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_ctrl_c_again_and_again_loses_nothing_of_what_is_still_being_written(
    vibedesk: Program, lab: OpenAI
) -> None:
    lab.behaviour = Behaviour(text="word " * 500, tokens_per_s=50.0)
    process = await vibedesk.start("ask", "-m", "lab/gpt-4.1-mini", "Hi")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readexactly(10), 30)
    database = vibedesk.home / "data" / "vibedesk.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # the disk is slow
        for _ in range(4):
            process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.05)
        other.execute("COMMIT")
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, b"Traceback" in err) == (130, False)
    [(outcome, text)] = answers(vibedesk)
    assert outcome == "stopped"
    assert text.startswith("word")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
async def test_a_reader_that_goes_away_ends_the_program_quietly(vibedesk: Program, lab: OpenAI) -> None:
    lab.behaviour = Behaviour(text="word " * 500, tokens_per_s=200.0)
    process = await vibedesk.start("ask", "-m", "lab/gpt-4.1-mini", "Hi")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.read(4), 30)
    process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
    assert process.stderr is not None
    err = await asyncio.wait_for(process.stderr.read(), 30)
    await process.wait()
    assert err == b""
    [(outcome, text)] = answers(vibedesk)
    assert outcome == "stopped"
    assert text.startswith("word")


async def test_conversations_are_kept_unless_no_save_and_the_ledger_counts_both(
    vibedesk: Program, lab: OpenAI
) -> None:
    await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Kept")
    await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--no-save", "Not kept")
    assert answers(vibedesk) == [("complete", TEXT)]
    usage = (await vibedesk("usage", "--json")).json
    assert (usage["requests"], usage["attempts"]) == (2, 2)
    assert (usage["input_tokens"], usage["output_tokens"]) == (18, 26)
    assert (usage["cost_usd"], usage["unpriced"]) == ("0", 2)
    assert usage["by_model"][0]["model"] == "lab/gpt-4.1-mini"


async def test_the_prompt_may_come_on_standard_input(vibedesk: Program, lab: OpenAI) -> None:
    assert (await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "-", stdin="Grüße\n")).status == 0
    assert lab.asked[0].body["messages"][-1]["content"] == "Grüße"


async def test_what_is_typed_reaches_the_provider(vibedesk: Program, lab: OpenAI, tmp_path: Path) -> None:
    image = tmp_path / "picture.bin"
    image.write_bytes(PIXEL)
    vibedesk.write("routes.toml", "")
    ended = await vibedesk(
        *(
            "ask",
            "-m",
            "lab/gpt-4.1-mini",
            "--system",
            "Be brief",
            "--max-tokens",
            "20",
            "--temperature",
            "0",
        ),
        *("--image", str(image), "Hi"),
    )
    assert ended.status == 0, ended.err
    body = lab.asked[0].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    assert body["temperature"] == 0
    assert 20 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert any(part["type"] == "image_url" for part in body["messages"][1]["content"])


async def test_a_route_is_asked_as_it_says_and_falls_back(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write(
        "routes.toml",
        '[routes.quick]\nname = "lab/fail-500"\nmax_tokens = 33\nfallback_model = "lab/gpt-4.1-mini"\n',
    )
    ended = await vibedesk("ask", "-r", "quick", "--json", "Hi")
    assert ended.status == 0
    [finished] = ended.finished
    assert finished["model"] == "lab/gpt-4.1-mini"
    [fell] = [event for event in ended.events if event["event"] == "fell_back"]
    assert (fell["kind"], fell["next"]) == ("server_error", "lab/gpt-4.1-mini")
    assert finished["attempts"][0]["outcome"] == "failed"
    assert 33 in lab.asked[-1].body.values()


async def test_reasoning_is_told_apart_from_the_answer(vibedesk: Program) -> None:
    async with OpenAI(Behaviour(reasoning="I think."), key=KEY, flavour="groq") as groq:
        vibedesk.provide(lab=groq)
        ended = await vibedesk("ask", "-m", "lab/openai/gpt-oss-120b", "--json", "Hi")
    thought = "".join(event["text"] for event in ended.events if event["event"] == "reasoning")
    assert thought == "I think."
    assert ended.finished[0]["text"] == TEXT


async def test_the_demo_provider_needs_no_key_and_says_what_it_is(vibedesk: Program) -> None:
    ended = await vibedesk("ask", "-m", "demo/fast", "--json", "Hi")
    assert ended.status == 0
    assert "simulation" in ended.finished[0]["text"]


async def test_a_provider_without_a_key_says_how_to_add_one(vibedesk: Program) -> None:
    ended = await vibedesk("ask", "-m", "groq/openai/gpt-oss-120b", "Hi")
    assert ended.status == 1
    assert "vibedesk keys add groq" in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ask", "Hi"], "-m PROVIDER/MODEL"),
        (["ask", "-m", "gpt-6-luna", "Hi"], "openai/gpt-6-luna"),
        (["ask", "-m", "demo/demo"], "PROMPT is missing"),
        (["ask", "-m", "demo/demo", "two", "words"], "quotes"),
        (["ask", "-m", "demo/demo", "--temperature", "nan", "Hi"], "from 0 to 2"),
        (["ask", "-m", "demo/demo", "--max-tokens", "0", "Hi"], "whole number"),
        (["ask", "-m", "demo/demo", "--via", "carrier-pigeon", "Hi"], "gateway, direct"),
        (["ask", "-m", "demo/demo", "--image", "none.png", "Hi"], "none.png cannot be read"),
        (["ask", "-m", "demo/demo", "-"], "empty"),
        (["ask", "-m", "groqq/some-model", "Hi"], "groq"),
        (["ask", "-r", "nobody", "Hi"], "no route named “nobody”"),
        (["ask", "-r", "nobody", "Hi"], "vibedesk routes list"),
        (["frobnicate"], "COMMAND takes one of"),
        (["keys"], "COMMAND is missing"),
        (["usage", "--since", "yesterdayish"], "--since takes"),
    ],
)
async def test_words_that_are_off_end_with_2_and_one_sentence(
    vibedesk: Program, words: list[str], said: str
) -> None:
    ended = await vibedesk(*words)
    assert ended.status == 2
    assert ended.out == ""
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="devices of POSIX")
async def test_an_image_without_an_end_is_refused_unread(vibedesk: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", str(tmp_path / "pipe"), str(tmp_path)):
        ended = await vibedesk("ask", "-m", "demo/demo", "--image", path, "Hi")
        assert (ended.status, ended.out) == (2, "")
        assert "is not a file" in ended.err


async def test_an_unknown_provider_still_finishes_its_lane(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("ask", "-m", "labb/x", "-m", "lab/gpt-4.1-mini", "--json", "Hi")
    assert ended.status == 2
    assert [finished["outcome"] for finished in ended.finished] == ["failed", "complete"]
    assert ended.finished[0]["error"]["kind"] == "unknown_provider"
    assert "lab" in ended.finished[0]["error"]["message"]


async def test_a_gateway_that_is_not_there_is_not_silently_left_out(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--via", "gateway", "--json", "Hi")
    assert ended.status == 1
    assert ended.finished[0]["error"]["kind"] == "misconfigured"
    assert lab.asked == []


def answers(vibedesk: Program) -> list[tuple[str, str]]:
    with sqlite3.connect(vibedesk.home / "data" / "vibedesk.db") as database:
        rows: list[tuple[str, str]] = database.execute(
            "SELECT outcome, text FROM answers ORDER BY created"
        ).fetchall()
    database.close()
    return rows


MENDING = """
[routes.again]
name = "lab/gpt-4.1-mini"
on_cut = "restart"

[routes.kept]
name = "lab/gpt-4.1-mini"
"""


async def test_an_answer_that_is_taken_back_says_so_and_ends_whole(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write("routes.toml", MENDING)
    lab.behaviour = Behaviour(cut="eof", cut_after=4, times=1)
    ended = await vibedesk("ask", "-r", "again", "--json", "Hi")
    kinds = [event["event"] for event in ended.events if event["event"] != "delta"]
    assert kinds == ["started", "waiting", "started", "restarted", "finished"]
    [restarted] = [event for event in ended.events if event["event"] == "restarted"]
    assert restarted["discard_from"] == 0
    [finished] = ended.finished
    assert (ended.status, finished["outcome"], finished["text"], finished["restarts"]) == (
        0,
        "complete",
        TEXT,
        1,
    )
    assert [attempt["outcome"] for attempt in finished["attempts"]] == ["cut", "complete"]


async def test_a_person_reads_that_an_answer_was_begun_again_or_cut(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write("routes.toml", MENDING)
    lab.behaviour = Behaviour(cut="eof", cut_after=4, times=2)
    ended = await vibedesk("ask", "-r", "kept", "Hi")
    assert (ended.status, ended.out) == (3, "Hello! This is the\n")
    ended = await vibedesk("ask", "-r", "again", "Hi")
    assert ended.status == 0
    assert ended.out.endswith(TEXT + "\n")
    assert "the answer starts again" in ended.err
    assert "begun again" in ended.err
