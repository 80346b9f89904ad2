"""All keys together: precedence, what is remembered of them, and the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.store.vault_contract import MemoryRing, fake_key
from vibedesk.engine.errors import SecretUnavailable
from vibedesk.engine.types import ApiKey, Attempt, Cost, Limits, Provider, Secret
from vibedesk.store.database import Database
from vibedesk.store.environment import GATEWAY, Environment
from vibedesk.store.keychain import Keychain
from vibedesk.store.keys import Keys
from vibedesk.store.settings import Settings
from vibedesk.store.vault import Vault

OPENAI = Provider(
    id="openai",
    name="OpenAI",
    dialect="openai-chat",
    base_url="https://api.openai.com/v1",
    env=("OPENAI_API_KEY",),
)
ORIGIN = "https://api.openai.com"
CLOUDFLARE = "https://gateway.ai.cloudflare.com"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Desk:
    """The parts `Keys` stands on, over one folder."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.ring = MemoryRing()
        self.database = Database(folder / "vibedesk.db")
        self.vault = Vault(self.database, Keychain(self.ring, "Memory"))
        self.settings = Settings(folder / "settings.toml")
        self.keys = Keys(self.vault, Environment((OPENAI,), environ, (folder,)), self.settings, self.database)

    def add(self, letter: str, provider: str = "openai", origin: str = ORIGIN) -> ApiKey:
        return self.vault.add(provider, Secret(fake_key(letter)), label=letter, origin=origin)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / ".dev.vars").write_text(f"OPENAI_API_KEY={fake_key('v')}\n")
    desk = Desk(tmp_path, {"OPENAI_API_KEY": fake_key("e")})
    yield desk
    desk.database.close()


def test_the_vault_goes_before_the_environment_and_that_before_files(desk: Desk) -> None:
    desk.add("b")
    desk.vault.move(desk.add("a").id, 0)
    usable = desk.keys.usable(OPENAI)
    assert [key.label for key in usable] == ["a", "b", "OPENAI_API_KEY", "OPENAI_API_KEY"]
    assert [key.source for key in usable] == ["vault", "vault", "environment", ".dev.vars"]
    assert [desk.keys.secret(key).reveal()[8] for key in usable] == ["a", "b", "e", "v"]


def test_a_key_that_is_switched_off_is_listed_and_not_usable(desk: Desk) -> None:
    key = desk.add("a")
    desk.vault.set_enabled(key.id, False)
    assert key.id in [one.id for one in desk.keys.all()]
    assert key.id not in [one.id for one in desk.keys.usable(OPENAI)]


def test_a_key_bound_to_another_origin_is_left_in_for_the_router_to_name(desk: Desk) -> None:
    key = desk.add("a", origin="https://elsewhere.example")
    assert key in desk.keys.usable(OPENAI)


def test_what_the_user_says_of_a_key_is_kept_one_thing_at_a_time(desk: Desk) -> None:
    limits = Limits(requests_per_minute=30, monthly_usd=Decimal("12.50"))
    for id in (desk.add("a").id, "env:OPENAI_API_KEY"):
        desk.keys.set_terms(id, limits=limits)
        desk.keys.set_terms(id, scope="team account", note="ask Ada first")
        kept = next(key for key in desk.keys.all() if key.id == id)
        assert (kept.limits, kept.scope, kept.note) == (limits, "team account", "ask Ada first")


def test_what_a_check_learnt_stays_until_the_next_one_learns_something(desk: Desk) -> None:
    key = desk.add("a")
    desk.keys.note_check(key.id, "ready", NOON, {"tier": "2"})
    desk.keys.note_check(key.id, "timed_out", NOON)
    [kept] = [one for one in desk.keys.all() if one.id == key.id]
    assert (kept.state, kept.passport) == ("timed_out", {"tier": "2"})


def test_with_a_key_goes_what_was_said_of_it(desk: Desk) -> None:
    key = desk.add("a")
    desk.keys.set_terms(key.id, note="mine")
    desk.vault.remove(key.id)
    assert not desk.database.execute("SELECT key_id FROM key_terms")


def test_what_a_check_and_a_use_left_behind_is_remembered(desk: Desk) -> None:
    key = desk.add("a")
    for id in (key.id, "env:OPENAI_API_KEY"):
        desk.keys.note_check(id, "ready", NOON)
        desk.keys.note_use(id, NOON)
    noted = {one.id: one for one in desk.keys.all()}
    for id in (key.id, "env:OPENAI_API_KEY"):
        assert (noted[id].state, noted[id].checked, noted[id].last_used) == ("ready", NOON, NOON)
    assert noted["file:.dev.vars:OPENAI_API_KEY"].state == "untested"
    desk.keys.note_check(key.id, "invalid", NOON)
    assert desk.keys.all()[0].state == "invalid"
    assert desk.keys.all()[0].last_used == NOON


def sent(key: ApiKey, **of_it: Any) -> Attempt:
    """One request with this key, answered well unless `of_it` says otherwise."""
    answered = Attempt(
        deployment="openai/any", via="direct", why_via="", key=key.name, key_id=key.id, rule="first choice",
        status=200, outcome="complete", kind=None, message="", started_s=0.0, connected_s=0.1, first_token_s=0.2,
        ended_s=0.3, request_id="", finish_reason="stop", usage=None, cost=None,
    )  # fmt: skip
    return replace(answered, **of_it)


def failed(key: ApiKey, kind: str, status: int | None = 401, message: str = "") -> Attempt:
    return sent(key, outcome="failed", kind=kind, status=status, message=message, first_token_s=None)


@pytest.mark.parametrize(
    ("kind", "status", "message", "state"),
    [
        ("invalid_key", 401, "Incorrect API key", "invalid"),
        ("invalid_key", 401, "This key was revoked", "revoked"),
        ("leaked_key", 403, "", "revoked"),
        ("no_credit", 402, "", "no_credit"),
        ("no_credit", 429, "Quota exceeded for metric: free_tier_requests, limit: 0", "untested"),
        ("rate_limited", 429, "", "rate_limited"),
        ("restricted", 403, "", "restricted"),
        ("server_error", 500, "", "untested"),
        ("model_not_found", 404, "", "untested"),
        ("bad_request", 400, "", "untested"),
        ("unreachable", None, "", "untested"),
        ("own_limit", None, "", "untested"),
        ("gateway_error", 401, "", "untested"),
    ],
)
def test_a_refused_request_tells_of_its_key_what_a_check_would(
    desk: Desk, kind: str, status: int | None, message: str, state: str
) -> None:
    key = desk.add("a")
    desk.keys.note_attempts([failed(key, kind, status, message)], NOON)
    [noted] = [one for one in desk.keys.all() if one.id == key.id]
    assert (noted.state, noted.last_used) == (state, NOON)


def test_the_last_word_counts_and_each_key_has_its_own(desk: Desk) -> None:
    one, other = desk.add("a"), desk.add("b")
    desk.keys.note_attempts([failed(one, "rate_limited", 429), failed(other, "invalid_key"), sent(one)], NOON)
    assert {key.id: key.state for key in desk.keys.all() if key.source == "vault"} == {
        one.id: "ready",
        other.id: "invalid",
    }


def test_words_from_the_gateways_cache_prove_no_key(desk: Desk) -> None:
    key = desk.add("a")
    desk.keys.note_attempts([sent(key, cost=Cost(usd=Decimal(0), source="gateway cache"))], NOON)
    assert desk.keys.all()[0].state == "untested"


def test_an_answer_says_nothing_of_characters_it_was_not_asked_with(desk: Desk) -> None:
    key = desk.add("a")
    desk.vault.replace(key.id, Secret(fake_key("n")), ORIGIN)
    desk.keys.note_attempts([sent(key)], NOON)
    assert desk.keys.all()[0].state == "untested"


def test_a_new_secret_is_untested_again(desk: Desk) -> None:
    key = desk.add("a")
    desk.keys.note_check(key.id, "invalid", NOON)
    desk.vault.replace(key.id, Secret(fake_key("n")), ORIGIN)
    assert desk.keys.all()[0].state == "untested"


def test_a_secret_that_cannot_be_had_is_the_engines_failure(desk: Desk) -> None:
    key = desk.add("a")
    desk.ring.entries.clear()
    with pytest.raises(SecretUnavailable) as refusal:
        desk.keys.secret(key)
    assert refusal.value.detail == "Memory does not hold the key “a”."
    assert (refusal.value.provider, refusal.value.key) == ("openai", "a …AAAA")


def test_a_check_of_characters_that_were_replaced_says_nothing_of_the_new_ones(desk: Desk) -> None:
    old = desk.add("a")
    new = desk.vault.replace(old.id, Secret(fake_key("b")), ORIGIN)
    desk.keys.note_check(old.id, "ready", NOON, {"tier": "2"}, hint=old.hint)
    [known] = [key for key in desk.keys.all() if key.id == old.id]
    assert (known.state, known.checked, known.passport) == ("untested", None, {})
    desk.keys.note_check(old.id, "ready", NOON, hint=new.hint)
    [known] = [key for key in desk.keys.all() if key.id == old.id]
    assert known.state == "ready"


def test_a_variable_that_is_gone_says_where_it_was(desk: Desk, tmp_path: Path) -> None:
    listed = desk.keys.all()[-1]
    (tmp_path / ".dev.vars").unlink()
    with pytest.raises(SecretUnavailable, match=r"OPENAI_API_KEY is no longer in \.dev\.vars"):
        desk.keys.secret(listed)


# The gateway


def set_up(desk: Desk, base_url: str = CLOUDFLARE + "/v1") -> None:
    desk.settings.set("gateway.account", "acc")
    desk.settings.set("gateway.name", "main")
    desk.settings.set("gateway.base_url", base_url)


def test_without_a_token_there_is_no_gateway(desk: Desk) -> None:
    set_up(desk)
    assert desk.keys.gateway() is None


def test_settings_and_a_token_of_the_vault_make_a_gateway(desk: Desk) -> None:
    token = desk.add("t", GATEWAY, CLOUDFLARE)
    assert desk.keys.gateway() is None
    set_up(desk)
    gateway = desk.keys.gateway()
    assert gateway is not None
    assert (gateway.account, gateway.name, gateway.token, gateway.base_url) == (
        "acc",
        "main",
        token,
        CLOUDFLARE + "/v1",
    )


@pytest.mark.parametrize(
    "base_url", ["https://evil.example/v1", "http://gateway.ai.cloudflare.com/v1", "rubbish"]
)
def test_a_token_is_never_offered_to_an_address_it_was_not_stored_for(desk: Desk, base_url: str) -> None:
    desk.add("t", GATEWAY, CLOUDFLARE)
    set_up(desk, base_url)
    assert desk.keys.gateway() is None


def test_the_settings_go_before_the_environment(tmp_path: Path) -> None:
    token = "cfut_" + "t" * 48
    desk = Desk(
        tmp_path,
        {
            "CLOUDFLARE_ACCOUNT_ID": "env",
            "CLOUDFLARE_AI_GATEWAY": "env",
            "CLOUDFLARE_AI_GATEWAY_TOKEN": token,
        },
    )
    from_environment = desk.keys.gateway()
    assert from_environment is not None
    assert from_environment.account == "env"
    set_up(desk)
    mixed = desk.keys.gateway()
    assert mixed is not None
    assert (mixed.account, mixed.token.source) == ("acc", "environment")
    desk.add("t", GATEWAY, CLOUDFLARE)
    own = desk.keys.gateway()
    assert own is not None
    assert own.token.source == "vault"
    desk.database.close()
