"""`models`, `routes`, `usage` and `doctor` as scripts use them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.providers import OpenAI
from tests.terminal.program import KEY, Program
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.usage import since_of

ROUTES = """\
# mine
[routes.chat]
name = "lab/gpt-4.1-mini"
provider_override = "direct"
max_tokens = 4000
temperature = 0
fallback_model = ["groq/openai/gpt-oss-120b", "lab/gpt-6-luna"]

[routes.twice]
name = "lab/gpt-4.1-mini"
fallback_model = "lab/gpt-4.1-mini"
"""
AGENT_CONFIG = """\
export enum AIModels { DISABLED = 'disabled',
    TOGETHER_DEEPSEEK = 'together/deepseek-ai/DeepSeek-V4.1-Flash',
}
export const AGENT_CONFIG: AgentConfig = {
  conversationalResponse: {
    name: AIModels.TOGETHER_DEEPSEEK, // the default
    providerOverride: "together",
    reasoning_effort: "low",
    max_tokens: 4_000,
    temperature: 0,
    fallbackModel: 'groq/openai/gpt-oss-120b',
  },
}
"""


async def test_models_have_the_fields_of_the_contract(vibedesk: Program) -> None:
    ended = await vibedesk(
        "models", "--provider", "groq", "--json", environ={"GROQ_API_KEY": "gsk_" + "a" * 52}
    )
    models = {model["id"]: model for model in ended.json}
    model = models["groq/openai/gpt-oss-120b"]
    assert model["provider"] == "groq"
    assert model["state"] == "current"
    assert model["context_window"] > 0
    assert float(model["price"]["input"]) > 0
    assert model["price"]["source"]
    assert model["usable"] is True
    gone = next(model for model in models.values() if model["state"] == "retired")
    assert gone["usable"] is False
    assert gone["replacement"] in models


async def test_without_a_key_no_model_is_usable(vibedesk: Program) -> None:
    assert not any(
        model["usable"] for model in (await vibedesk("models", "--provider", "groq", "--json")).json
    )


async def test_refresh_asks_the_provider_and_remembers(vibedesk: Program, lab: OpenAI) -> None:
    assert (await vibedesk("models", "--provider", "lab", "--json")).json == []
    ended = await vibedesk("models", "--provider", "lab", "--refresh", "--json")
    assert ended.status == 0
    assert "lab/gpt-6-luna" in [model["id"] for model in ended.json]
    asked = len(lab.seen)
    again = await vibedesk("models", "--provider", "lab", "--json")
    assert again.json == ended.json
    assert len(lab.seen) == asked


async def test_a_refresh_that_fails_says_why_and_still_lists(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("models", "--refresh", "--json", environ={"LAB_API_KEY": "wrong-key-wrong"})
    assert ended.status == 1
    assert "Loopback lab" in ended.err
    assert ended.json


async def test_a_provider_added_only_by_toml_answers_listed_or_not(vibedesk: Program) -> None:
    async with OpenAI(key=KEY) as server:
        vibedesk.write(
            "providers.toml",
            f'[providers.attic]\ndialect = "openai-chat"\nbase_url = "{server.base_url}"\nenv = ["ATTIC_KEY"]\n',
        )
        ended = await vibedesk("ask", "-m", "attic/split", "--json", "Hi", environ={"ATTIC_KEY": KEY})
    assert ended.status == 0
    assert ended.finished[0]["model"] == "attic/split"


async def test_a_keyless_provider_is_asked_without_a_key(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write(
        "providers.toml",
        f'[providers.bare]\nname = "Bare"\ndialect = "openai-chat"\nbase_url = "{lab.base_url}"\nkeyless = true\n',
    )
    ended = await vibedesk("ask", "-m", "bare/gpt-4.1-mini", "--json", "Hi")
    assert "authorization" not in lab.asked[0].headers
    assert ended.events[0]["key"] is None
    assert ended.finished[0]["error"]["kind"] == "invalid_key", "this server wants a key, and says so"


async def test_an_unknown_provider_suggests_a_near_one(vibedesk: Program) -> None:
    ended = await vibedesk("models", "--provider", "xai")
    assert ended.status == 2
    assert "grok" in ended.err


async def test_routes_are_listed_shown_and_explained_without_any_network(
    vibedesk: Program, lab: OpenAI
) -> None:
    vibedesk.write("routes.toml", ROUTES)
    [chat, _] = (await vibedesk("routes", "list", "--json")).json
    assert (chat["route"], chat["name"], chat["temperature"]) == ("chat", "lab/gpt-4.1-mini", 0)
    shown = await vibedesk("routes", "show", "chat")
    assert 'fallback_model = ["groq/openai/gpt-oss-120b", "lab/gpt-6-luna"]' in shown.out
    assert "temperature = 0\n" in shown.out
    explained = (await vibedesk("routes", "explain", "chat", "--json")).json
    assert [rung["deployment"] for rung in explained["rungs"]] == [chat["name"], *chat["fallback_model"]]
    assert [rung["verdict"] for rung in explained["rungs"]] == ["ready", "no_key", "ready"]
    assert explained["rungs"][0]["key"] == "LAB_API_KEY …4242"
    assert lab.seen == []
    unknown = await vibedesk("routes", "show", "chta")
    assert unknown.status == 2
    assert "did you mean chat?" in unknown.err
    assert (await vibedesk("routes", "explain", "nobody")).status == 2
    what_if = await vibedesk("routes", "explain", "chat", "--json", "--fault", "lab=529")
    assert [rung["verdict"] for rung in what_if.json["rungs"]] == ["overloaded", "no_key", "overloaded"]
    assert [rung["asked"] for rung in what_if.json["rungs"]] == [2, 0, 3]
    assert (what_if.status, what_if.json["outcome"], what_if.json["error"]["kind"]) == (
        1,
        "failed",
        "overloaded",
    )
    assert (await vibedesk("routes", "explain", "chat", "--fault", "529")).status == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("lba=529", "“lba”; did you mean lab?"),
        ("lab/gpt-4.1-mimi=529", "“lab/gpt-4.1-mimi”; did you mean lab/gpt-4.1-mini?"),
        ("zzzzzz=529", "lab/gpt-4.1-mini, lab, "),
        ("lab=zzz", "timeout, stall, connect, offline, limit"),
        ("*=zzz", "no fault “zzz”"),
        ("*=5²", "no fault “5²”"),
    ],
)
async def test_a_fault_that_hits_nobody_or_is_none_is_refused(
    vibedesk: Program, lab: OpenAI, fault: str, said: str
) -> None:
    vibedesk.write("routes.toml", ROUTES)
    ended = await vibedesk("routes", "explain", "chat", "--fault", fault)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_lint_finds_a_fallback_that_equals_its_primary(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write("routes.toml", ROUTES)
    ended = await vibedesk("routes", "lint", "--json")
    assert ended.status == 1
    assert ("twice", "fallback_equals_primary") in [(one["route"], one["rule"]) for one in ended.json]
    assert all(one["message"] for one in ended.json)


async def test_a_test_asks_primary_and_every_fallback_and_tells_the_truth(
    vibedesk: Program, lab: OpenAI
) -> None:
    vibedesk.write(
        "routes.toml",
        '[routes.t]\nname = "lab/gpt-4.1-mini"\nfallback_model = ["lab/fail-402", "lab/html"]\n',
    )
    ended = await vibedesk("routes", "test", "t", "--json")
    assert ended.status == 1
    assert [one["outcome"] for one in ended.json["results"]] == ["complete", "failed", "failed"]
    assert [one["error"] and one["error"]["kind"] for one in ended.json["results"]] == [
        None,
        "no_credit",
        "not_this_api",
    ]


async def test_routes_go_out_and_come_back_the_same(vibedesk: Program, lab: OpenAI, tmp_path: Path) -> None:
    vibedesk.write("routes.toml", ROUTES)
    before = (await vibedesk("routes", "list", "--json")).json
    exported = await vibedesk("routes", "export", "toml")
    file = tmp_path / "out.toml"
    file.write_text(exported.out)
    (vibedesk.home / "config" / "routes.toml").unlink()
    assert (await vibedesk("routes", "import", str(file))).status == 0
    assert (await vibedesk("routes", "list", "--json")).json == before


async def test_the_seed_s_config_comes_in_and_goes_out(vibedesk: Program) -> None:
    ended = await vibedesk("routes", "import", "-", "--json", stdin=AGENT_CONFIG)
    assert ended.status == 0, ended.err
    [route] = ended.json
    assert route["route"] == "conversationalResponse"
    assert route["name"] == "together/deepseek-ai/DeepSeek-V4.1-Flash"
    assert (route["provider_override"], route["max_tokens"], route["temperature"]) == ("together", 4000, 0)
    exported = (await vibedesk("routes", "export", "agent-config")).out
    assert 'fallbackModel: "groq/openai/gpt-oss-120b"' in exported
    again = await vibedesk("routes", "import", "-", "--json", stdin=exported)
    assert again.json == [route]
    names = (await vibedesk("routes", "export", "dev-vars")).out
    assert 'TOGETHER_API_KEY=""' in names
    assert 'GROQ_API_KEY=""' in names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "AGENT_CONFIG = { a: { name: call() } }",
        "AGENT_CONFIG = { a: {",
        '[routes.x]\nmodel = "a/b"\n',
    ],
)
async def test_what_holds_no_routes_is_told_in_one_sentence(vibedesk: Program, text: str) -> None:
    ended = await vibedesk("routes", "import", "-", stdin=text)
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1


async def test_an_unknown_format_lists_those_there_are(vibedesk: Program) -> None:
    ended = await vibedesk("routes", "export", "yaml")
    assert ended.status == 2
    assert "toml, dev-vars, agent-config" in ended.err


async def test_a_route_that_caches_answers_twice_and_asks_once(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write("routes.toml", '[routes.c]\nname = "lab/gpt-4.1-mini"\ncache = true\n')
    first = await vibedesk("ask", "-r", "c", "--json", "Hi")
    again = await vibedesk("ask", "-r", "c", "--json", "Hi")
    assert (first.finished[0]["cache"]["verdict"], first.finished[0]["cached"]) == ("kept", False)
    told = again.finished[0]
    assert (told["cached"], told["cache"]["verdict"], told["attempts"]) == (True, "hit", [])
    assert told["text"] == first.finished[0]["text"]
    assert len(lab.asked) == 1
    said = await vibedesk("ask", "-r", "c", "Hi")
    assert "given from the answer cache" in said.err
    usage = (await vibedesk("usage", "--json")).json
    assert (usage["requests"], usage["cached"], usage["attempts"]) == (3, 2, 1)
    unseen = await vibedesk("ask", "-r", "c", "--no-save", "--json", "Hi")
    assert (unseen.finished[0]["cached"], unseen.finished[0]["cache"]) == (False, None)


async def test_an_export_says_what_it_cannot_carry_beside_it(vibedesk: Program, lab: OpenAI) -> None:
    vibedesk.write("routes.toml", ROUTES)
    ended = await vibedesk("routes", "export", "litellm")
    assert ended.status == 0
    assert "os.environ/LAB_KEY" in ended.out or "os.environ/LAB_API_KEY" in ended.out
    assert "not carried over: chat" in ended.err
    assert KEY not in ended.out + ended.err
    told = (await vibedesk("routes", "export", "portkey", "--json")).json
    assert set(told) == {"format", "file", "text", "lost"}


async def test_a_dev_vars_names_keys_and_gives_none(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("routes", "import", "-", stdin="GROQ_API_KEY=gsk_secret\nOTHER=1\n")
    assert ended.status == 0, ended.err
    assert "GROQ_API_KEY" in ended.out
    assert "secret" not in ended.out + ended.err
    assert "OTHER" in ended.err
    told = await vibedesk("routes", "import", "-", "--json", stdin="LAB_API_KEY=x\nGROQ_API_KEY=gsk_secret\n")
    assert told.json == [
        {"variable": "LAB_API_KEY", "provider": "lab", "key_here": True},
        {"variable": "GROQ_API_KEY", "provider": "groq", "key_here": False},
    ]


async def test_doctor_names_a_file_that_others_can_read(vibedesk: Program) -> None:
    file = vibedesk.cwd / ".dev.vars"
    file.write_text("GROQ_API_KEY=" + "gsk_" + "b" * 52 + "\n")
    file.chmod(0o644)
    ended = await vibedesk("doctor", "--json")
    [found] = [one for one in ended.json if one["name"] == "clear text"]
    if sys.platform != "win32":
        assert (ended.status, found["ok"]) == (1, False)
        assert "chmod 600" in found["fix"]
    assert "bbbbbbbb" not in ended.out


async def test_doctor_is_content_with_a_fresh_home(vibedesk: Program) -> None:
    ended = await vibedesk("doctor", "--json")
    assert ended.status == 0
    assert {"version", "vault", "gateway", "window"} <= {one["name"] for one in ended.json}
    assert all(set(one) == {"name", "ok", "message", "fix"} for one in ended.json)


def test_since_counts_back_from_now() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert since_of("7d", now) == now - timedelta(days=7)
    assert since_of("90m", now) == now - timedelta(minutes=90)
    assert since_of(None, now) is None
    assert since_of("2026-11-01T00:00:00+00:00", now) == datetime(2026, 11, 1, tzinfo=UTC)
    for wrong in ("7", "d7", "-7d", "soon"):
        with pytest.raises(WordsOff):
            since_of(wrong, now)
