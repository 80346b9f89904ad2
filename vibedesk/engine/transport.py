"""Where a call goes: through the gateway or direct, to which address, with which headers, and whether it may
see this key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from vibedesk.engine.catalog import origin_of
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.errors import EngineError, InsecureAddress, KeyBoundElsewhere, Misconfigured
from vibedesk.engine.gateway import headers_for
from vibedesk.engine.proxies import is_loopback
from vibedesk.engine.types import ApiKey, Deployment, DialectName, Gateway, Provider, Secret, Via

if TYPE_CHECKING:
    import httpx


def choose(
    provider: Provider, override: str | None, gateway: Gateway | None, key: ApiKey | None = None
) -> tuple[Via, str]:
    """Gateway or direct, and the reason in plain words. `override`: None, "direct", "gateway" or a provider's id."""
    if provider.simulated or provider.local:
        return "direct", "it runs on this machine"
    if override == "direct":
        return "direct", "this route says direct"
    if override and override != "gateway":
        return "direct", f"this route says {override}"
    if gateway is None:
        return "direct", "no gateway is set up"
    if provider.gateway_slug is None:
        return "direct", f"{provider.name} has no path through the gateway"
    if not _under(provider.base_url, _stripped(provider)):
        return "direct", f"the base URL of {provider.name} has no path through the gateway"
    if not carried(key, gateway):
        return "direct", f"the gateway in {gateway.token.source} is for the keys of that file alone"
    return "gateway", f"gateway {gateway.account[:8]}/{gateway.name}"


def carried(key: ApiKey | None, gateway: Gateway) -> bool:
    """Whether the gateway is meant for this key."""
    return gateway.carries is None or (key is not None and key.id in gateway.carries)


def speaks(deployment: Deployment) -> DialectName:
    """The wire format: the model's own where it has one, else its provider's."""
    return deployment.model.traits.dialect or deployment.provider.dialect


def url_of(deployment: Deployment, path: str) -> str:
    """The full address of `path` (begins with "/") at this deployment (wire.md §10.2 through the gateway)."""
    provider, gateway = deployment.provider, deployment.gateway
    if deployment.via == "direct" or gateway is None:
        return f"{provider.base_url}{path}"
    rest = provider.base_url.removeprefix(_stripped(provider))
    return (
        f"{gateway.base_url.rstrip('/')}/{gateway.account}/{gateway.name}/{provider.gateway_slug}{rest}{path}"
    )


def headers_of(
    deployment: Deployment, secret: Secret | None, gateway_secret: Secret | None, call: Call
) -> dict[str, str]:
    """Everything the request carries, names in lower case; nobody's extra header can replace a key's."""
    headers = _lowered(deployment.provider.headers) | {"accept-encoding": "identity"} | _lowered(call.headers)
    if call.body is not None:
        headers["content-type"] = "application/json"
    if secret and not (deployment.gateway is not None and deployment.gateway.stored_keys):
        headers |= _lowered(dialect_of(speaks(deployment)).authorise(secret))
    if deployment.via == "gateway" and deployment.gateway is not None:
        headers |= headers_for(deployment.gateway, call)
        if gateway_secret:
            headers["cf-aig-authorization"] = f"Bearer {gateway_secret.reveal()}"
    return headers


def assert_may_send(deployment: Deployment, url: str) -> None:
    """Raises unless this address may see this deployment's keys (security.md N2, N4).

    A provider's key goes to the origin it was stored for, or, while that is still its provider's origin,
    through the gateway; a gateway's token to the gateway it was stored for.
    """
    address = _address(url)
    via_gateway = deployment.via == "gateway" and deployment.gateway is not None
    _assert_encrypted(address, consent=deployment.provider.allow_http and not via_gateway)
    home = origin_of(deployment.provider.base_url)
    if deployment.key is not None:
        _assert_bound(deployment.key, home)
    if via_gateway and deployment.gateway is not None:
        home = origin_of(deployment.gateway.base_url)
        _assert_bound(deployment.gateway.token, home)
        if deployment.key is not None and not carried(deployment.key, deployment.gateway):
            raise KeyBoundElsewhere("not a key for this gateway", host=address.host, origin=home)
    if origin_of(str(address)) != home:
        raise KeyBoundElsewhere(f"bound to {home}", host=address.host, origin=home)


def without_secrets(text: str, secrets: Iterable[Secret | None]) -> str:
    """Providers echo keys in their error texts: the key itself and its last twelve characters are blanked."""
    for secret in secrets:
        if secret and len(characters := secret.reveal()) >= 8:
            text = text.replace(characters, "…")
            if len(characters) >= 24:
                text = text.replace(characters[-12:], "…")
    return text


def scrubbed(error: EngineError, secrets: Iterable[Secret | None]) -> EngineError:
    """The same error without any secret in its texts."""
    known = tuple(secrets)
    error.detail = without_secrets(error.detail, known)
    error.provider_message = without_secrets(error.provider_message, known)
    error.args = (error.detail,)
    error.facts = {
        name: without_secrets(fact, known) if isinstance(fact, str) else fact
        for name, fact in error.facts.items()
    }
    return error


def _stripped(provider: Provider) -> str:
    return provider.gateway_strips or origin_of(provider.base_url)


def _under(url: str, prefix: str) -> bool:
    return url == prefix or url.startswith(prefix + "/")


def _lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@lru_cache(maxsize=64)
def _address(url: str) -> httpx.URL:
    """Parsed by the library that will connect: two parsers that differ are how keys go astray."""
    import httpx

    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise Misconfigured("the base URL is not an address", setting="base_url") from exc
    if address.scheme not in ("http", "https") or not address.host:
        raise Misconfigured("the base URL is not an http or https address", setting="base_url")
    if address.userinfo:
        raise Misconfigured("the base URL holds a user name or password", setting="base_url")
    return address


def _assert_encrypted(address: httpx.URL, *, consent: bool) -> None:
    if address.scheme == "http" and not consent and not is_loopback(address.host):
        raise InsecureAddress(f"plain http to {address.host}", host=address.host)


def _assert_bound(key: ApiKey, origin: str) -> None:
    if key.origin != origin:
        raise KeyBoundElsewhere(f"bound to {key.origin}", key=key.name, host=origin, origin=key.origin)
