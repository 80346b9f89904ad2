"""`keys` as scripts use it: the secret on standard input, precedence, origins, and no key in any file."""

from __future__ import annotations

import base64
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.providers import TEXT, Behaviour, OpenAI
from tests.terminal.program import KEY, Program

VAULT_KEY = "vault-key-7f3k9d2m5x8q1w4e"
ANTHROPIC_SHAPED = "sk-ant-api03-" + "x" * 93 + "AA"


def ways_to_write(secret: str) -> list[bytes]:
    """The secret in every encoding it could lie around in, and its last characters."""
    plain = secret.encode()
    shifted = [base64.b64encode(b"\0" * n + plain)[4:-4] for n in range(3)]
    return [
        plain,
        plain[-12:],
        secret.encode("utf-16-le"),
        secret.encode("utf-16-be"),
        plain.hex().encode(),
        plain.hex().upper().encode(),
        "".join(f"%{byte:02X}" for byte in plain).encode(),
        quote(secret).encode(),
        *shifted,
    ]


def places_of(secret: str, folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in ways_to_write(secret))
    ]


async def added(vibedesk: Program, secret: str = VAULT_KEY, label: str = "work") -> str:
    ended = await vibedesk("keys", "add", "lab", "--label", label, "--json", stdin=secret + "\n")
    assert ended.status == 0, ended.err
    id: str = ended.json["id"]
    return id


async def test_a_key_is_added_listed_and_removed(vibedesk: Program, lab: OpenAI) -> None:
    del vibedesk.environ["LAB_API_KEY"]
    id = await added(vibedesk)
    [key] = (await vibedesk("keys", "list", "--json")).json
    assert (key["id"], key["provider"], key["label"], key["source"]) == (id, "lab", "work", "vault")
    assert (key["state"], key["base_url"]) == ("untested", lab.origin)
    assert key["hint"].endswith("1w4e")
    assert VAULT_KEY not in (await vibedesk("keys", "list")).out
    assert (await vibedesk("keys", "remove", id)).status == 0
    assert (await vibedesk("keys", "list", "--json")).json == []


async def test_a_new_vault_shows_its_recovery_code_once_on_standard_error(
    vibedesk: Program, lab: OpenAI
) -> None:
    first = await vibedesk("keys", "add", "lab", stdin=VAULT_KEY)
    second = await vibedesk("keys", "add", "lab", stdin=VAULT_KEY + "2")
    assert "Recovery code" in first.err
    assert "Recovery code" not in second.err + first.out


@pytest.mark.parametrize(
    "words",
    [
        ["keys", "add", "anthropic", ANTHROPIC_SHAPED],
        ["keys", "add", ANTHROPIC_SHAPED],
        ["keys", "add", "anthropic", f"--secret={ANTHROPIC_SHAPED}"],
        ["keys", "add", "anthropic", "--key", ANTHROPIC_SHAPED],
    ],
)
async def test_a_secret_as_an_argument_is_refused_and_not_repeated(
    vibedesk: Program, words: list[str]
) -> None:
    ended = await vibedesk(*words)
    assert ended.status == 2
    assert "standard input" in ended.err
    assert ANTHROPIC_SHAPED[-20:] not in ended.err + ended.out


@pytest.mark.parametrize("pasted", ["", "   \n", "https://example.test/key", "two words", "clé-clé-clé-clé"])
async def test_what_is_no_key_is_refused_in_one_sentence(vibedesk: Program, lab: OpenAI, pasted: str) -> None:
    ended = await vibedesk("keys", "add", "lab", stdin=pasted)
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1
    assert not (vibedesk.home / "data" / "vault").exists()


async def test_a_key_of_another_provider_is_pointed_out(vibedesk: Program) -> None:
    ended = await vibedesk("keys", "add", "groq", stdin=ANTHROPIC_SHAPED)
    assert "Anthropic" in ended.err
    assert ANTHROPIC_SHAPED not in ended.err + ended.out


async def test_a_key_that_is_kept_already_is_pointed_out(vibedesk: Program, lab: OpenAI) -> None:
    id = await added(vibedesk)
    again = await vibedesk("keys", "add", "lab", stdin=VAULT_KEY)
    assert (again.status, id in again.err) == (0, True)
    assert "this ends like “work”, which is kept already" in again.err
    other = await vibedesk("keys", "add", "lab", stdin=VAULT_KEY[::-1])
    assert "kept already" not in other.err


async def test_an_export_line_is_as_good_as_the_bare_key(vibedesk: Program, lab: OpenAI) -> None:
    lab.key = VAULT_KEY
    assert (await vibedesk("keys", "add", "lab", stdin=f'export LAB_API_KEY="{VAULT_KEY}"\n')).status == 0
    assert (await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")).out == TEXT + "\n"


async def test_the_vault_goes_before_the_environment_and_that_before_dev_vars(
    vibedesk: Program, lab: OpenAI
) -> None:
    (vibedesk.cwd / ".dev.vars").write_text('LAB_API_KEY="key-from-dev-vars-0001"\n')
    environ = vibedesk.environ.pop("LAB_API_KEY")

    async def used() -> str:
        """The first key that was sent: where it is refused the next one follows."""
        before = len(lab.asked)
        await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")
        return lab.asked[before].headers["authorization"].removeprefix("Bearer ")

    assert await used() == "key-from-dev-vars-0001"
    vibedesk.environ["LAB_API_KEY"] = environ
    assert await used() == environ
    await added(vibedesk)
    assert await used() == VAULT_KEY
    sources = [key["source"] for key in (await vibedesk("keys", "list", "--json")).json]
    assert sources == ["vault", "environment", ".dev.vars"]


async def test_the_answer_says_which_key_it_used(vibedesk: Program, lab: OpenAI) -> None:
    lab.key = VAULT_KEY
    await added(vibedesk)
    ended = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--json", "Hi")
    assert ended.events[0]["key"] == "work …1w4e"
    assert ended.finished[0]["attempts"][0]["key"] == "work …1w4e"


async def test_a_key_is_never_sent_to_another_origin_than_it_was_entered_for(
    vibedesk: Program, lab: OpenAI
) -> None:
    del vibedesk.environ["LAB_API_KEY"]
    await added(vibedesk)
    async with OpenAI(key=VAULT_KEY) as thief:
        vibedesk.provide(lab=thief)
        del vibedesk.environ["LAB_API_KEY"]
        ended = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--json", "Hi")
        assert ended.finished[0]["error"]["kind"] == "wrong_origin"
        assert ended.status == 1
        assert thief.seen == []


@pytest.mark.parametrize("id", ["openai", "my-openai"])
async def test_a_built_in_provider_s_variable_never_goes_to_another_origin(
    vibedesk: Program, id: str
) -> None:
    async with OpenAI(key="thief") as thief:
        vibedesk.write(
            "providers.toml",
            f'[providers.{id}]\ndialect = "openai-chat"\nbase_url = "{thief.base_url}"\nenv = ["OPENAI_API_KEY"]\n',
        )
        secret = "sk-proj-" + "k" * 60
        environ = {"OPENAI_API_KEY": secret}
        ended = await vibedesk("ask", "-m", f"{id}/gpt-4.1-mini", "--json", "Hi", environ=environ)
        assert ended.finished[0]["outcome"] == "failed"
        await vibedesk("models", "--provider", id, "--refresh", environ=environ)
        await vibedesk("keys", "check", environ=environ)
        assert all(secret not in str(seen.headers) for seen in thief.seen)


async def test_check_says_ready_and_keeps_it(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("keys", "check", "--json")
    assert ended.status == 0
    [found] = ended.events
    assert (found["id"], found["provider"], found["verdict"]) == ("env:LAB_API_KEY", "lab", "ready")
    assert found["models"] >= 1
    assert [stage["name"] for stage in found["stages"]][:2] == ["shape", "host"]
    [key] = (await vibedesk("keys", "list", "--json")).json
    assert key["state"] == "ready"


@pytest.mark.parametrize(
    ("behaviour", "key", "verdict"),
    [
        (Behaviour(), "not-the-key-at-all", "invalid"),
        (Behaviour(instead="html", on="all"), KEY, "not_this_api"),
        (Behaviour(status=402, on="all"), KEY, "no_credit"),
        (Behaviour(status=503, on="all"), KEY, "server_down"),
    ],
)
async def test_check_names_what_is_wrong(
    vibedesk: Program, lab: OpenAI, behaviour: Behaviour, key: str, verdict: str
) -> None:
    lab.behaviour = behaviour
    ended = await vibedesk("keys", "check", "--json", environ={"LAB_API_KEY": key})
    assert ended.status == 1
    [found] = ended.events
    assert found["verdict"] == verdict
    assert found["message"].endswith(".")
    assert found["fix"]
    assert key not in ended.out


async def test_a_check_says_what_it_learnt_and_keeps_it(vibedesk: Program, lab: OpenAI) -> None:
    lab.behaviour = Behaviour(headers={"openai-organization": "org-lab"})
    [found] = (await vibedesk("keys", "check", "--json")).events
    assert found["passport"] == {"organisation": "org-lab"}
    assert (found["capabilities"], found["nuance"]) == ({}, None)
    assert found["at"].endswith("Z")
    assert lab.asked == []
    shown = await vibedesk("keys", "check")
    assert "organisation: org-lab" in shown.out


async def test_a_real_answer_is_asked_for_when_wanted_and_counted(vibedesk: Program, lab: OpenAI) -> None:
    ended = await vibedesk("keys", "check", "--json", "--answer")
    [found] = ended.events
    assert (found["verdict"], found["stage"], found["nuance"]) == ("ready", "answer", "answered")
    assert "real answers cost" in ended.err
    assert (await vibedesk("usage", "--json")).json["requests"] == 1
    [deeper] = (await vibedesk("keys", "check", "--json", "--capabilities")).events
    assert deeper["capabilities"]["stream"] is True
    assert set(deeper["capabilities"]) == {"stream", "vision", "json"}


async def test_another_provider_s_key_is_sent_only_anyway(vibedesk: Program, lab: OpenAI) -> None:
    lab.key = ANTHROPIC_SHAPED
    environ = {"LAB_API_KEY": ANTHROPIC_SHAPED}
    ended = await vibedesk("keys", "check", "--json", environ=environ)
    assert [found["verdict"] for found in ended.events] == ["wrong_provider"]
    assert lab.seen == []
    ended = await vibedesk("keys", "check", "--anyway", "--json", environ=environ)
    assert [found["verdict"] for found in ended.events] == ["ready"]


async def test_the_list_says_how_old_a_verdict_is(vibedesk: Program, lab: OpenAI) -> None:
    assert "just now" not in (await vibedesk("keys", "list")).out
    await vibedesk("keys", "check")
    assert "just now" in (await vibedesk("keys", "list")).out
    with closing(sqlite3.connect(vibedesk.home / "data" / "vibedesk.db")) as database, database:
        database.execute("UPDATE key_notes SET checked = '2026-01-01T00:00:00.000000+00:00'")
    assert "d ago: check again" in (await vibedesk("keys", "list")).out


async def test_an_unknown_id_ends_with_2(vibedesk: Program, lab: OpenAI) -> None:
    for words in (["keys", "check", "nope"], ["keys", "remove", "nope"]):
        ended = await vibedesk(*words)
        assert ended.status == 2
        assert "keys list" in ended.err


async def test_a_key_that_stands_in_the_environment_is_not_removed_here(
    vibedesk: Program, lab: OpenAI
) -> None:
    ended = await vibedesk("keys", "remove", "env:LAB_API_KEY")
    assert ended.status == 1
    assert "the environment" in ended.err


async def test_a_vault_without_a_passphrase_names_the_fix(vibedesk: Program, lab: OpenAI) -> None:
    environ = {"VIBEDESK_PASSPHRASE_FILE": ""}
    ended = await vibedesk("keys", "add", "lab", stdin=VAULT_KEY, environ=environ)
    assert ended.status == 1
    assert "VIBEDESK_PASSPHRASE_FILE" in ended.err
    await added(vibedesk)
    beside = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi", environ=environ)
    assert (beside.status, beside.out) == (0, TEXT + "\n")  # the key of the environment answers, and says so
    assert "passphrase" in beside.err
    vibedesk.environ.pop("LAB_API_KEY")
    asked = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi", environ=environ)
    assert asked.status == 1
    assert "passphrase" in asked.err


async def test_a_wrong_passphrase_is_told_and_changes_nothing(
    vibedesk: Program, lab: OpenAI, tmp_path: Path
) -> None:
    lab.key = VAULT_KEY
    vibedesk.environ.pop("LAB_API_KEY")
    await added(vibedesk)
    wrong = tmp_path / "wrong"
    wrong.write_text("incorrect horse\n")
    ended = await vibedesk(
        "ask", "-m", "lab/gpt-4.1-mini", "Hi", environ={"VIBEDESK_PASSPHRASE_FILE": str(wrong)}
    )
    assert ended.status == 1
    assert "passphrase" in ended.err
    assert (await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")).status == 0


async def test_after_a_whole_session_no_file_holds_a_key(vibedesk: Program, lab: OpenAI) -> None:
    lab.key = VAULT_KEY
    environment_key = vibedesk.environ["LAB_API_KEY"]
    id = await added(vibedesk)
    said = []
    for words in (
        ["keys", "check"],
        ["ask", "-m", "lab/gpt-4.1-mini", "Hi"],
        ["ask", "-m", "lab/fail-401", "Hi"],
        ["ask", "-m", "lab/cut-reset", "Hi"],
        ["models", "--provider", "lab", "--refresh"],
        ["doctor"],
        ["usage"],
    ):
        said.append(await vibedesk(*words))
    lab.behaviour = Behaviour(status=401, body={"error": {"message": f"Incorrect API key provided: {VAULT_KEY}", "code": "invalid_api_key"}})  # fmt: skip # noqa: E501
    said.append(await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "--json", "Hi"))
    for secret in (VAULT_KEY, environment_key):
        assert places_of(secret, vibedesk.home) == []
        assert all(secret not in ended.out + ended.err for ended in said)
    await vibedesk("keys", "remove", id)
    assert places_of(VAULT_KEY, vibedesk.home) == []


def test_the_byte_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    for n, form in enumerate(ways_to_write(VAULT_KEY)):
        (tmp_path / str(n)).write_bytes(b"\0\1" + form + b"\2")
    assert len(places_of(VAULT_KEY, tmp_path)) == len(ways_to_write(VAULT_KEY))


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
async def test_everything_written_is_readable_by_its_owner_alone(vibedesk: Program, lab: OpenAI) -> None:
    await added(vibedesk)
    await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")
    for path in [vibedesk.home / "data", *(vibedesk.home / "data").rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
