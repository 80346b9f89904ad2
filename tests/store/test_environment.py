"""Keys that lie about: found as people write them, bound to their origin, and never taken from what is no key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.store.environment import GATEWAY, Environment, read_variables

OPENAI = Provider(
    id="openai",
    name="OpenAI",
    dialect="openai-chat",
    base_url="https://api.openai.com/v1",
    env=("OPENAI_API_KEY",),
)
GOOGLE = Provider(
    id="google-ai-studio", name="Google", dialect="gemini", base_url="https://generativelanguage.googleapis.com/v1beta",
    env=("GOOGLE_AI_STUDIO_API_KEY", "GEMINI_API_KEY"),
)  # fmt: skip
LAB = Provider(
    id="lab",
    name="Lab",
    dialect="openai-chat",
    base_url="http://127.0.0.1:8000/v1",
    env=("LAB_API_KEY",),
    bundled=False,
)
KEY = "sk-proj-" + "q" * 40
TOKEN = "cfut_" + "t" * 48
ACCOUNT = "0a" * 16


def environment(
    environ: dict[str, str] | None = None, *folders: Path, providers: tuple[Provider, ...] = ()
) -> Environment:
    return Environment(providers or (OPENAI, GOOGLE, LAB), environ or {}, folders)


def listed(found: Environment) -> tuple[ApiKey, ...]:
    return found.keys()


def test_a_key_of_the_environment_is_known_by_its_variable() -> None:
    found = environment({"OPENAI_API_KEY": KEY})
    assert found.keys() == (
        ApiKey(
            id="env:OPENAI_API_KEY", provider="openai", label="OPENAI_API_KEY", hint="sk-proj-…qqqq",
            source="environment", origin="https://api.openai.com",
        ),
    )  # fmt: skip
    assert found.secret(found.keys()[0]) == Secret(KEY)


def test_files_of_the_working_folder_come_after_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".dev.vars").write_text(f"OPENAI_API_KEY={KEY}2")
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}3\nGEMINI_API_KEY={KEY}4")
    found = environment({"OPENAI_API_KEY": KEY}, tmp_path)
    assert [(key.id, key.source) for key in listed(found)] == [
        ("env:OPENAI_API_KEY", "environment"),
        ("file:.dev.vars:OPENAI_API_KEY", ".dev.vars"),
        ("file:.env:OPENAI_API_KEY", ".env"),
        ("file:.env:GEMINI_API_KEY", ".env"),
    ]
    assert [found.secret(key).reveal()[-1] for key in listed(found)] == ["q", "2", "3", "4"]
    assert found.files_with_keys == (tmp_path / ".dev.vars", tmp_path / ".env")


def test_keys_of_two_folders_do_not_share_an_id(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".env").write_text(f"OPENAI_API_KEY={KEY}{name}")
    found = environment({}, tmp_path / "one", tmp_path / "two", tmp_path / "one" / ".." / "one")
    first, second = found.keys()
    assert first.id == "file:.env:OPENAI_API_KEY"
    assert second.id.startswith("file:.env:OPENAI_API_KEY:")
    assert found.secret(second) == Secret(KEY + "two")


@pytest.mark.parametrize(
    "line",
    [
        f"OPENAI_API_KEY={KEY}",
        f'OPENAI_API_KEY="{KEY}"',
        f"OPENAI_API_KEY='{KEY}'",
        f"export OPENAI_API_KEY={KEY}",
        f"  OPENAI_API_KEY = {KEY}   # mine",
        f'OPENAI_API_KEY="{KEY}" # mine',
        f"\ufeffOPENAI_API_KEY={KEY}",
        f"# a comment\r\nOPENAI_API_KEY={KEY}\r\nOTHER=1\r\n",
        f"OPENAI_API_KEY=Bearer {KEY}",
        f"not a line at all\nOPENAI_API_KEY={KEY}",
    ],
)
def test_a_file_is_read_as_people_write_it(tmp_path: Path, line: str) -> None:
    (tmp_path / ".dev.vars").write_bytes(line.encode())
    found = environment({}, tmp_path)
    assert found.secret(found.keys()[0]) == Secret(KEY)


@pytest.mark.parametrize(
    "value", ["", " ", "default", "None", "sk-...", "your-key-goes-here", "<paste-your-key>", "short", "sk-…"]
)
def test_what_only_holds_the_place_of_a_key_is_none(value: str) -> None:
    assert environment({"OPENAI_API_KEY": value}).keys() == ()


def test_a_variable_is_not_expanded(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET=whatever-it-is\nOPENAI_API_KEY=${SECRET}\n")
    assert environment({}, tmp_path).keys() == ()


def test_the_process_environment_is_left_alone(tmp_path: Path) -> None:
    before = dict(os.environ)
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\nA_NEW_VARIABLE=1\n")
    environment({}, tmp_path).keys()
    assert dict(os.environ) == before


def test_an_edited_file_is_seen_at_once(tmp_path: Path) -> None:
    found = environment({}, tmp_path)
    assert found.keys() == ()
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}")
    [key] = found.keys()
    (tmp_path / ".env").write_text("")
    with pytest.raises(KeyError):
        found.secret(key)


def test_one_secret_under_two_names_of_a_provider_is_one_key() -> None:
    found = environment({"GOOGLE_AI_STUDIO_API_KEY": KEY, "GEMINI_API_KEY": KEY})
    assert [key.label for key in listed(found)] == ["GOOGLE_AI_STUDIO_API_KEY"]


def test_a_users_provider_has_its_own_variable_at_its_own_origin() -> None:
    [key] = environment({"LAB_API_KEY": KEY}).keys()
    assert (key.provider, key.origin) == ("lab", "http://127.0.0.1:8000")


def test_a_bundled_providers_variable_stays_bound_to_its_origin() -> None:
    thief = Provider(
        id="a-thief", name="A thief", dialect="openai-chat", base_url="https://evil.example/v1",
        env=("OPENAI_API_KEY",), bundled=False,
    )  # fmt: skip
    found = environment({"OPENAI_API_KEY": KEY}, providers=(thief, OPENAI))
    assert {key.provider: key.origin for key in listed(found)} == {
        "openai": "https://api.openai.com",
        "a-thief": "https://api.openai.com",
    }
    assert len({key.id for key in listed(found)}) == 2


def test_what_cannot_be_read_is_skipped_and_named(tmp_path: Path) -> None:
    for name in ("big", "binary", "folder", "odd"):
        (tmp_path / name).mkdir()
    (tmp_path / "big" / ".env").write_bytes(b"A=1\n" * 300_000)
    (tmp_path / "binary" / ".env").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder" / ".env").mkdir()
    (tmp_path / "odd" / ".env").write_text(f"A=1\n'broken\nOPENAI_API_KEY={KEY}\n")
    found = environment({}, *(tmp_path / name for name in ("big", "binary", "folder", "odd", "missing")))
    assert len(found.keys()) == 1
    words = " ".join(found.problems)
    assert len(found.problems) == 4
    for said in ("larger than 1 MiB", "not UTF-8", "line 2"):
        assert said in words
    assert KEY not in words


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pipe_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    problems: list[str] = []
    assert read_variables(tmp_path / ".env", problems) == {}
    assert "not a regular file" in problems[0]


# The AI gateway

SET_UP = {
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    "CLOUDFLARE_AI_GATEWAY": "main",
    "CLOUDFLARE_AI_GATEWAY_TOKEN": TOKEN,
}


def test_a_gateway_is_set_up_by_three_variables() -> None:
    found = environment(SET_UP)
    gateway = found.gateway()
    assert gateway is not None
    assert (gateway.account, gateway.name) == (ACCOUNT, "main")
    assert gateway.base_url == "https://gateway.ai.cloudflare.com/v1"
    assert (gateway.token.provider, gateway.token.origin) == (GATEWAY, "https://gateway.ai.cloudflare.com")
    assert found.secret(gateway.token) == Secret(TOKEN)


@pytest.mark.parametrize("left_out", SET_UP)
def test_a_gateway_with_a_part_missing_is_none(left_out: str) -> None:
    assert environment({**SET_UP, left_out: "none"}).gateway() is None


@pytest.mark.parametrize("blank", ["none", "", "None "])
def test_a_blank_address_means_cloudflares(blank: str) -> None:
    gateway = environment({**SET_UP, "CLOUDFLARE_AI_GATEWAY_URL": blank}).gateway()
    assert gateway is not None
    assert gateway.base_url == "https://gateway.ai.cloudflare.com/v1"


def test_an_address_may_name_account_and_gateway() -> None:
    gateway = environment(
        {
            "CLOUDFLARE_AI_GATEWAY_TOKEN": TOKEN,
            "CLOUDFLARE_AI_GATEWAY_URL": "https://gateway.example/v1/acc/gw/",
        }
    ).gateway()
    assert gateway is not None
    assert (gateway.base_url, gateway.account, gateway.name) == ("https://gateway.example/v1", "acc", "gw")
    assert gateway.token.origin == "https://gateway.example"


def test_plain_http_to_another_machine_is_no_gateway() -> None:
    assert environment({**SET_UP, "CLOUDFLARE_AI_GATEWAY_URL": "http://gateway.example/v1"}).gateway() is None
    assert environment({**SET_UP, "CLOUDFLARE_AI_GATEWAY_URL": "http://127.0.0.1:9/v1"}).gateway() is not None


def test_a_file_in_a_folder_cannot_send_keys_through_a_host_of_its_choice(tmp_path: Path) -> None:
    lines = {**SET_UP, "CLOUDFLARE_AI_GATEWAY_URL": "https://evil.example/v1/acc/gw"}
    (tmp_path / ".dev.vars").write_text("\n".join(f"{name}={value}" for name, value in lines.items()))
    found = environment({}, tmp_path)
    assert (found.gateway(), found.keys()) == (None, ())


def test_a_file_that_lay_in_the_working_folder_leads_its_own_keys_through_its_gateway_and_no_others(
    tmp_path: Path,
) -> None:
    lines = {**SET_UP, "OPENAI_API_KEY": KEY}
    (tmp_path / ".dev.vars").write_text("\n".join(f"{name}={value}" for name, value in lines.items()))
    gateway = environment({}, tmp_path).gateway()
    assert gateway is not None
    assert gateway.carries is not None
    assert "file:.dev.vars:OPENAI_API_KEY" in gateway.carries
    assert "env:OPENAI_API_KEY" not in gateway.carries
    for chosen in (environment({}, tmp_path, tmp_path), environment({}, tmp_path / "elsewhere", tmp_path)):
        named = chosen.gateway()
        assert named is not None
        assert named.carries is None
    own = environment(SET_UP, tmp_path).gateway()
    assert own is not None
    assert own.carries is None


def test_parts_of_two_sources_make_no_gateway(tmp_path: Path) -> None:
    (tmp_path / ".dev.vars").write_text(f"CLOUDFLARE_ACCOUNT_ID={ACCOUNT}\nCLOUDFLARE_AI_GATEWAY=main\n")
    assert environment({"CLOUDFLARE_AI_GATEWAY_TOKEN": TOKEN}, tmp_path).gateway() is None
