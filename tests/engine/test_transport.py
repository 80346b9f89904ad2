"""Which way a call goes, and that no key ever goes to an origin it was not stored for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.engine.asking import key_of
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.dialects import Call
from vibedesk.engine.errors import EngineError, InsecureAddress, KeyBoundElsewhere, Misconfigured, ServerError
from vibedesk.engine.transport import assert_may_send, choose, headers_of, scrubbed, url_of
from vibedesk.engine.types import ApiKey, Deployment, Gateway, Model, Provider, Secret, Via

GATEWAY_ORIGIN = "https://gateway.ai.cloudflare.com"
TOKEN = ApiKey(
    id="cf",
    provider="cloudflare-ai-gateway",
    label="cf",
    hint="cfut…9999",
    source="vault",
    origin=GATEWAY_ORIGIN,
)
GATEWAY = Gateway(account="0" * 32, name="vibe-gw", token=TOKEN)
OPENAI = Provider(
    id="openai", name="OpenAI", dialect="openai-chat", base_url="https://api.openai.com/v1", gateway_slug="openai",
    gateway_strips="https://api.openai.com/v1",
)  # fmt: skip
TOGETHER = Provider(
    id="together", name="Together AI", dialect="openai-chat", base_url="https://api.together.ai/v1"
)


def deployment(
    provider: Provider = OPENAI,
    *,
    via: Via = "direct",
    key: ApiKey | None = None,
    gateway: Gateway | None = GATEWAY,
) -> Deployment:
    return Deployment(
        provider=provider,
        model=Model(provider=provider.id, id="m", name="m"),
        key=key or key_of(provider),
        via=via,
        gateway=gateway if via == "gateway" else None,
    )


class TestChoose:
    def test_without_an_override_the_gateway_is_the_way_where_one_is_set_up(self) -> None:
        assert choose(OPENAI, None, GATEWAY) == ("gateway", "gateway 00000000/vibe-gw")

    @pytest.mark.parametrize(
        ("provider", "override", "gateway", "reason"),
        [
            (OPENAI, None, None, "no gateway is set up"),
            (OPENAI, "direct", GATEWAY, "this route says direct"),
            (TOGETHER, "together", GATEWAY, "this route says together"),
            (TOGETHER, None, GATEWAY, "Together AI has no path through the gateway"),
            (TOGETHER, "gateway", GATEWAY, "Together AI has no path through the gateway"),
        ],
    )
    def test_direct_says_why(
        self, provider: Provider, override: str | None, gateway: Gateway | None, reason: str
    ) -> None:
        assert choose(provider, override, gateway) == ("direct", reason)

    def test_a_base_url_of_ones_own_is_not_replaced_by_the_gateways_idea_of_it(self) -> None:
        changed = Provider(**(_facts(OPENAI) | {"base_url": "https://eu.example.org/v1"}))
        assert choose(changed, None, GATEWAY)[0] == "direct"

    def test_what_runs_on_this_machine_is_asked_directly(self) -> None:
        local = Provider(**(_facts(OPENAI) | {"local": True}))
        assert choose(local, None, GATEWAY)[0] == "direct"


class TestUrl:
    def test_direct_is_the_base_url_and_the_path(self) -> None:
        assert url_of(deployment(), "/chat/completions") == "https://api.openai.com/v1/chat/completions"

    @pytest.mark.parametrize(
        ("base_url", "slug", "strips", "path", "expected"),
        [
            ("https://api.openai.com/v1", "openai", "https://api.openai.com/v1", "/responses", "openai/responses"),
            ("https://api.anthropic.com", "anthropic", "", "/v1/messages", "anthropic/v1/messages"),
            (
                "https://generativelanguage.googleapis.com/v1beta", "google-ai-studio",
                "https://generativelanguage.googleapis.com", "/models/g:streamGenerateContent?alt=sse",
                "google-ai-studio/v1beta/models/g:streamGenerateContent?alt=sse",
            ),
            ("https://api.groq.com/openai/v1", "groq", "https://api.groq.com/openai/v1", "/models", "groq/models"),
            ("https://api.x.ai/v1", "grok", "https://api.x.ai", "/chat/completions", "grok/v1/chat/completions"),
        ],
    )  # fmt: skip
    def test_through_the_gateway_the_providers_part_is_replaced(
        self, base_url: str, slug: str, strips: str, path: str, expected: str
    ) -> None:
        facts = {"base_url": base_url, "gateway_slug": slug, "gateway_strips": strips}
        provider = Provider(**(_facts(OPENAI) | facts))
        want = f"{GATEWAY_ORIGIN}/v1/{'0' * 32}/vibe-gw/{expected}"
        assert url_of(deployment(provider, via="gateway"), path) == want


class TestHeaders:
    def test_the_gateway_gets_its_token_beside_the_providers_key(self) -> None:
        call = Call(method="POST", path="/x", body={})
        headers = headers_of(
            deployment(via="gateway"), Secret("provider-secret"), Secret("gateway-secret"), call
        )
        assert headers["authorization"] == "Bearer provider-secret"
        assert headers["cf-aig-authorization"] == "Bearer gateway-secret"
        assert headers["cf-aig-metadata"] == '{"app":"vibedesk"}'
        assert headers["content-type"] == "application/json"

    def test_direct_carries_nothing_of_the_gateway(self) -> None:
        headers = headers_of(
            deployment(), Secret("provider-secret"), Secret("gateway-secret"), Call(method="GET", path="/")
        )
        assert not any(name.startswith("cf-aig") for name in headers)
        assert "gateway-secret" not in str(headers)

    def test_a_providers_extra_header_cannot_replace_the_key(self) -> None:
        provider = Provider(
            **(_facts(OPENAI) | {"headers": {"Authorization": "Bearer other", "X-Title": "mine"}})
        )
        headers = headers_of(
            deployment(provider), Secret("provider-secret"), None, Call(method="GET", path="/")
        )
        assert headers["authorization"] == "Bearer provider-secret"
        assert headers["x-title"] == "mine"


class TestMaySend:
    def test_a_key_may_go_to_its_own_origin(self) -> None:
        assert_may_send(deployment(), "https://api.openai.com/v1/models")

    def test_a_changed_base_url_gets_no_key(self) -> None:
        """The cheapest attack on a vault: change the URL and wait."""
        changed = Provider(**(_facts(OPENAI) | {"base_url": "https://evil.example/v1"}))
        moved = deployment(changed, key=key_of(OPENAI))
        with pytest.raises(KeyBoundElsewhere) as caught:
            assert_may_send(moved, url_of(moved, "/models"))
        assert caught.value.facts["origin"] == "https://api.openai.com"

    def test_a_changed_base_url_gets_no_key_through_the_gateway_either(self) -> None:
        changed = Provider(**(_facts(OPENAI) | {"base_url": "https://evil.example/v1", "gateway_strips": ""}))
        moved = deployment(changed, via="gateway", key=key_of(OPENAI))
        with pytest.raises(KeyBoundElsewhere):
            assert_may_send(moved, url_of(moved, "/models"))

    def test_a_gateways_token_goes_to_its_own_gateway_only(self) -> None:
        other = Gateway(account="0" * 32, name="g", token=TOKEN, base_url="https://gateway.example/v1")
        moved = deployment(via="gateway", gateway=other)
        with pytest.raises(KeyBoundElsewhere):
            assert_may_send(moved, url_of(moved, "/models"))

    @pytest.mark.parametrize("host", ["10.0.0.1", "lab.example", "127.0.0.1.example.org"])
    def test_plain_http_to_another_machine_needs_consent(self, host: str) -> None:
        provider = Provider(**(_facts(TOGETHER) | {"base_url": f"http://{host}/v1"}))
        with pytest.raises(InsecureAddress):
            assert_may_send(deployment(provider), url_of(deployment(provider), "/models"))
        trusted = Provider(**(_facts(provider) | {"allow_http": True}))
        assert_may_send(deployment(trusted), url_of(deployment(trusted), "/models"))

    def test_plain_http_to_this_machine_is_fine(self) -> None:
        provider = Provider(**(_facts(TOGETHER) | {"base_url": "http://127.0.0.1:8000/v1"}))
        assert_may_send(deployment(provider), url_of(deployment(provider), "/models"))

    @pytest.mark.parametrize(
        "url", ["https://user:pw@api.openai.com/v1", "file:///etc/passwd", "https://", "api.openai.com"]
    )
    def test_an_address_that_is_no_plain_https_url_is_refused(self, url: str) -> None:
        with pytest.raises((Misconfigured, KeyBoundElsewhere)):
            assert_may_send(deployment(), url)


HOSTS = [
    "api.openai.com",
    "api.openai.com.evil.example",
    "evil.example",
    "127.0.0.1",
    "gateway.ai.cloudflare.com",
]
BASES = some.builds(
    "{}://{}{}{}{}".format,
    some.sampled_from(["https", "http", "HTTPS"]),
    some.sampled_from(["", "api.openai.com@", "x:y@"]),
    some.sampled_from(HOSTS),
    some.sampled_from(["", ":443", ":80", ":8443"]),
    some.sampled_from(
        ["", "/v1", "/\\evil.example", "//evil.example", "/@evil.example", "?x=", "#y", "\\@evil.example"]
    ),
)
PATHS = some.sampled_from(
    ["/models", "@evil.example/x", "//evil.example/", ".evil.example/x", ":1/x", "/../x", "\\@evil.example"]
)


@given(base=BASES, path=PATHS, bound=BASES, via=some.sampled_from(["direct", "gateway"]), gateway_base=BASES)
def test_no_request_leaves_to_another_origin_than_its_keys(
    base: str, path: str, bound: str, via: Via, gateway_base: str
) -> None:
    """N2, N4, whatever base URL, path, key and gateway come together: judged by the parser that would connect."""
    provider = Provider(**(_facts(OPENAI) | {"base_url": base, "gateway_strips": ""}))
    gateway = Gateway(account="a", name="g", token=TOKEN, base_url=gateway_base)
    try:
        key = key_of(OPENAI, origin=origin_of(bound))
        sent = deployment(provider, via=via, key=key, gateway=gateway)
        url = url_of(sent, path)
        assert_may_send(sent, url)
    except EngineError:
        return
    address = httpx.URL(url)
    went_to = origin_of(f"{address.scheme}://{address.netloc.decode()}")
    assert went_to == (key.origin if via == "direct" else TOKEN.origin)
    assert address.scheme == "https" or address.host == "127.0.0.1"
    assert not address.userinfo


@given(
    secret=some.text(alphabet="abcdef0123456789-_", min_size=24, max_size=80),
    before=some.text(),
    after=some.text(),
)
def test_an_error_that_echoes_the_key_is_blanked(secret: str, before: str, after: str) -> None:
    error = ServerError(
        before + secret + after, provider_message=f"{before}{secret[-12:]}{after}", hint=secret
    )
    cleaned = scrubbed(error, [Secret(secret), None])
    told = f"{cleaned.detail} {cleaned} {cleaned.facts}"
    assert secret not in told
    assert secret[-12:] not in cleaned.provider_message


def _facts(provider: Provider) -> dict[str, Any]:
    return {name: getattr(provider, name) for name in provider.__struct_fields__}
