"""What the check of a key found, in sentences: one for every verdict and every nuance of it, each with its one fix.

`wording.verdict_words` fills them in; the names in braces are facts of the error and of the provider. A key is a
verdict, `verdict.nuance`, or `verdict.nuance.provider` where one provider's fix is more exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult
from vibedesk.engine.types import Provider

Sentences = tuple[str, str]
"""What is true, and what to do about it."""

VERDICT_SENTENCES: Mapping[str, Sentences] = {
    "ready": ("{who} accepts the key.", ""),
    "ready.no_key": ("{who} answers; it needs no key.", ""),
    "ready.answered": ("{who} accepts the key, and {model} answered.", ""),
    "ready.no_models": ("{who} answers, but lists no model that chats.", "Load a model in {who}."),
    "ready.no_models.ollama": ("{who} answers, but has no model yet.", "Get one: ollama pull NAME."),
    "ready.unlisted": ("{who} answered with this key, which may not list models.", ""),
    "rate_limited": ("The key is good, but {who} asks to slow down for now.", "Try again {when}."),
    "rate_limited.day": (
        "The key is good, but {who} has given it all it gives in a day.",
        "Try again tomorrow, or use another model.",
    ),
    "no_credit": ("The key is good, but its account has no credit at {who}.", "Add credit at {who}."),
    "no_credit.payment": (
        "The key is good, but {who} reports a problem with the payment.",
        "Settle it at {who}.",
    ),
    "no_credit.free_tier": (
        "The key is good, but the free tier of {who} does not include {model}.",
        "Set up billing for the key’s project, or use another model.",
    ),
    "spend_limit": (
        "The key is good, but a spending limit at {who} is reached.",
        "Raise the limit at {who}, or wait until it resets.",
    ),
    "spend_limit.key": (
        "The key is good, but the spending limit set for it at {who} is used up.",
        "Raise the key’s limit at {key_url}.",
    ),
    "spend_limit.project": (
        "The key is good, but the spending limit of its project at {who} is reached.",
        "Raise the project’s limit at {who}.",
    ),
    "spend_limit.organisation": (
        "The key is good, but the spending limit of its organisation at {who} is reached.",
        "Raise the organisation’s limit at {who}.",
    ),
    "spend_limit.workspace": (
        "The key is good, but the usage limit set for its workspace at {who} is reached.",
        "Raise the workspace’s limit at {who}, or wait until it resets.",
    ),
    "restricted": (
        "The key is real, but lacks a permission at {who}.",
        "Give it access to models at {who}, or add another key.",
    ),
    "restricted.list": (
        "The key is real, but may not list models at {who}; whether it may ask one is not known yet.",
        "Check it again with one real answer.",
    ),
    "restricted.scope": (
        "The key is real, but was made without the permission to ask models at {who}.",
        "Give it that permission at {key_url}.",
    ),
    "restricted.model": (
        "The key is good, but {who} does not offer it the model {model}.",
        "Allow the model at {who}, or use another one.",
    ),
    "restricted.address": (
        "The key is real, but {who} takes it from other addresses only.",
        "Add this machine’s address to the key’s list at {who}.",
    ),
    "restricted.application": (
        "The key is real, but limited to a website or an app at {who}.",
        "Create a key without application restrictions at {key_url}.",
    ),
    "restricted.service": (
        "The key is real, but limited to other APIs of {who}.",
        "Allow it the Generative Language API, or create a key at {key_url}.",
    ),
    "restricted.disabled": (
        "The key is real, but its project at {who} has this API switched off.",
        "Switch the API on for the project.",
    ),
    "restricted.denied": (
        "The key is real, but {who} has denied its project access.",
        "Write to the support of {who}, or use a key of another project.",
    ),
    "invalid": (
        "{who} does not know this key.",
        "Check that it was copied whole, or create another at {key_url}.",
    ),
    "invalid.retired": (
        "{who} does not take this key; it is of the old kind (AIza…), which Google is retiring.",
        "Create a new key (AQ.…) at {key_url}.",
    ),
    "invalid.needed": ("{who} asks for a key, and there is none for it.", "Add a key for {who}."),
    "invalid.missing": ("There is no key for {who} to check.", "Add a key for {who}."),
    "invalid.characters": (
        "This has characters that no key contains, so it was not sent.",
        "Copy the key again, alone.",
    ),
    "revoked": ("{who} has revoked or blocked this key.", "Create another at {key_url}."),
    "revoked.leaked": (
        "{who} has blocked this key, because it was found in public.",
        "Delete it at {who} and create another at {key_url}.",
    ),
    "revoked.expired": ("This key has expired at {who}.", "Create another at {key_url}."),
    "revoked.blocked": ("This key is switched off at {who}.", "Switch it on at {who}, or create another."),
    "revoked.team": ("{who} has blocked the team this key belongs to.", "Ask the team’s owner, or {who}."),
    "wrong_type": (
        "This is a key of {who}, but not of the kind that may ask models.",
        "Create an ordinary API key at {key_url}.",
    ),
    "wrong_type.admin": (
        "This is an admin key of {who}: it manages the account and cannot ask models.",
        "Create an ordinary API key at {key_url}.",
    ),
    "wrong_type.oauth": (
        "This is a sign-in token of {who}, made for its own programs, not an API key.",
        "Create an API key at {key_url}.",
    ),
    "wrong_type.session": (
        "This is a session of {who}’s website, not an API key.",
        "Create an API key at {key_url}.",
    ),
    "wrong_type.client_secret": (
        "This is an OAuth client’s secret of {who}, not an API key.",
        "Create an API key at {key_url}.",
    ),
    "wrong_type.global": (
        "This is the global key of a whole account at {who}, not a gateway’s token.",
        "Create a token in the gateway’s settings.",
    ),
    "wrong_type.retired": (
        "{who} no longer takes keys of this kind.",
        "Create a new key at {key_url}.",
    ),
    "wrong_provider": ("This key belongs to another provider than {who}.", "Add it under its own provider."),
    "wrong_organisation": (
        "The key does not fit the organisation, project or address list set at {who}.",
        "Check the key’s project and its allowed addresses at {who}.",
    ),
    "wrong_organisation.address": (
        "The key is real, but its project at {who} does not allow this machine’s address.",
        "Add the address to the project’s list at {who}.",
    ),
    "region_blocked": (
        "{who} does not answer requests from this country or region.",
        "Use a provider that serves your region.",
    ),
    "network_blocked": (
        "A firewall, proxy or VPN answered instead of {who}; this says nothing about the key.",
        "Try another network, or turn the VPN off.",
    ),
    "network_blocked.hung_up": (
        "{host} hung up before it showed a certificate, as a firewall does that blocks a name{unsent}.",
        "Try another network, or turn the VPN off.",
    ),
    "network_blocked.no_way": (
        "There is no way from this machine to {host}: it may be offline, or a firewall forbids it.",
        "Check the connection.",
    ),
    "network_blocked.proxy": (
        "The proxy that the environment or the system names could not be used; nothing was sent.",
        "Check the proxy’s address and its login.",
    ),
    "wrong_base_url": (
        "{base_url} is up, but {who}’s API is not at this path.",
        "Check the path in the base URL.",
    ),
    "wrong_base_url.no_v1": (
        "{base_url} is up, but {who}’s API is not at this path.",
        "Check the base URL, often it ends in /v1.",
    ),
    "wrong_base_url.elsewhere": (
        "{base_url} is up, but {who}’s API is not at this path.",
        "Set the base URL to {suggestion}.",
    ),
    "wrong_base_url.moved": (
        "{base_url} sends on to {target}{unsent}.",
        "Set the base URL to where the API now is.",
    ),
    "wrong_base_url.needs_tls": (
        "{host} speaks https at this port, and the base URL says http{unsent}.",
        "Set the base URL to {suggestion}.",
    ),
    "wrong_base_url.no_tls": (
        "{host} speaks no TLS at this port, and the base URL says https{unsent}.",
        "Check the port; a server on this machine is often http://.",
    ),
    "wrong_base_url.account_form": (
        "The gateway’s account id is not one: it has 32 digits from 0 to f.",
        "Copy the account id from the Cloudflare dashboard.",
    ),
    "wrong_base_url.gateway_form": (
        "The gateway’s name is not one: it has lower-case letters, digits, “-” and “_” alone.",
        "Copy the gateway’s name from the Cloudflare dashboard.",
    ),
    "not_this_api": (
        "{base_url} answered, but not as {who}’s API does.",
        "Check the base URL; a sign-in page of the network can also answer like this.",
    ),
    "not_this_api.page": (
        "{base_url} answered with a web page (“{title}”), not as {who}’s API does{unsent}.",
        "Sign in to the network in a browser if it asks for that, else check the base URL.",
    ),
    "not_this_api.redirect": (
        "{base_url} was answered with a redirect to {host}, as a network’s sign-in page does{unsent}.",
        "Open a page in the browser and sign in to the network.",
    ),
    "not_this_api.elsewhere": (
        "{base_url} answered, but not as {who}’s API does.",
        "Set the base URL to {suggestion}.",
    ),
    "dns_failed": (
        "The name {host} could not be found: this machine may be offline, or the base URL misspelt.",
        "Check the connection and the base URL.",
    ),
    "dns_failed.bundled": (
        "The name {host} could not be found: this machine may be offline, or its DNS blocks the name.",
        "Check the connection.",
    ),
    "refused": (
        "Nothing answers at {host}: the connection was refused.",
        "Check that the server is running and that the base URL names its port.",
    ),
    "refused.local": ("{who} is not running at {host}.", "Start {who}, or correct its base URL."),
    "refused.local.ollama": ("{who} is not running at {host}.", "Start it: ollama serve."),
    "refused.local.lm-studio": ("{who} is not running at {host}.", "Start it: Developer → Start server."),
    "refused.local.llama-cpp": ("{who} is not running at {host}.", "Start it: llama-server -m model.gguf."),
    "tls_untrusted": (
        "The certificate of {host}, issued by {issuer}, is not trusted by this machine{unsent}.",
        "If a company proxy stands between, add its certificate to the system’s trusted ones.",
    ),
    "tls_untrusted.self_signed": (
        "The certificate of {host} is signed by nobody but itself ({issuer}){unsent}.",
        "Add the certificate to the system’s trusted ones if the server is yours.",
    ),
    "tls_untrusted.wrong_name": (
        "The certificate that {host} shows is for {names}, not for {host}{unsent}.",
        "Check the host in the base URL; a network’s sign-in page can also answer like this.",
    ),
    "tls_untrusted.expired": (
        "The certificate of {host} expired on {until}{unsent}.",
        "Check this machine’s clock; if it is right, the server needs a new certificate.",
    ),
    "tls_untrusted.not_yet": (
        "The certificate of {host} is valid from {since} on only{unsent}.",
        "Check this machine’s clock.",
    ),
    "tls_untrusted.revoked": (
        "The certificate of {host} was revoked by {issuer}{unsent}.",
        "Use another network, or ask who runs the server.",
    ),
    "tls_untrusted.handshake": (
        "{host} and this machine have no TLS in common ({reason}){unsent}.",
        "Ask who runs the server for TLS 1.2 or later.",
    ),
    "timed_out": ("{who} did not answer in time.", "Check the network, a VPN or a firewall, and try again."),
    "timed_out.name": (
        "The name {host} was not looked up within {limit}: the network’s DNS does not answer.",
        "Check the connection, or turn the VPN off.",
    ),
    "timed_out.connect": (
        "{host} did not take a connection within {limit}: it is off, or a firewall drops what is sent to it.",
        "Check the network, a VPN or a firewall, and try again.",
    ),
    "timed_out.tls": (
        "{host} takes connections, but showed no certificate within {limit}{unsent}.",
        "Check the port; if it is right, a proxy or VPN in between may hold it up.",
    ),
    "timed_out.silence": (
        "{host} takes connections, but answered nothing within {limit}.",
        "Check that {who} is what listens there, and try again.",
    ),
    "timed_out.body": (
        "{who} began its answer and did not finish it within {limit}.",
        "Try again; a proxy or VPN in between may hold it up.",
    ),
    "timed_out.check": ("The check had not ended after {limit}.", "Try again on a faster connection."),
    "timed_out.answer": (
        "{who} accepts the key, but {model} did not answer in time.",
        "Try again, or use another model.",
    ),
    "server_down": (
        "{who} has a fault of its own at the moment.",
        "Try again later; the key may well be good.",
    ),
    "server_down.overloaded": ("{who} is overloaded at the moment.", "Try again {when}."),
    "server_down.closed": (
        "{host} closed the connection without an answer.",
        "Try again; if it stays so, a firewall or proxy closes it.",
    ),
    "server_down.loading": ("{who} is still loading its model.", "Try again in a moment."),
    "server_down.local": ("{who} runs, but is not ready yet.", "Try again in a moment."),
    "unknown": ("What {who} answered does not tell whether the key is good.", "Try again later."),
    "unknown.open_list": (
        "{who} lists its models to everyone, so the list proves nothing about the key.",
        "Check it again with one real answer.",
    ),
    "unknown.open_gateway": (
        "The gateway lets requests through without any token, so this one could not be proved.",
        "Switch authentication on in the gateway’s settings, and check again.",
    ),
    "unknown.stored_keys": (
        "The gateway uses the keys stored with it, so this one was not sent and could not be proved.",
        "Check it on the direct way.",
    ),
    "unknown.gateway_token": (
        "The gateway does not accept its own token ({code}); this says nothing about the key of {who}.",
        "Enter the gateway’s token again, or ask directly.",
    ),
    "invalid.gateway_token": (
        "The gateway does not accept this token ({code}).",
        "Create one in the gateway’s settings, with the permission to run it.",
    ),
    "invalid.gateway_alias": (
        "The gateway has no stored provider key of that name ({code}).",
        "Check the provider keys kept at the gateway.",
    ),
    "invalid.gateway_provider_key": (
        "The gateway is reached, but has no key of {who}, and none was sent.",
        "Add a key for {who} here, or under the gateway’s provider keys.",
    ),
    "wrong_base_url.gateway_gateway": (
        "There is no AI gateway of this name in this account ({code}).",
        "Check the gateway’s name, then the account id.",
    ),
    "wrong_base_url.gateway_account": (
        "The gateway’s account id leads nowhere ({code}).",
        "Copy the account id from the Cloudflare dashboard.",
    ),
    "wrong_base_url.gateway_slug": (
        "The gateway has no path to {who} ({code}).",
        "Ask {who} directly.",
    ),
}


def sentences_of(result: CheckResult, provider: Provider) -> Sentences | None:
    """The nearest sentences for a result: of its nuance, else of its verdict. None where the nuance has none."""
    for name in _names(result, provider):
        if name in VERDICT_SENTENCES:
            return VERDICT_SENTENCES[name]
    return None


def _names(result: CheckResult, provider: Provider) -> Iterator[str]:
    verdict, nuance = result.verdict, result.nuance
    if result.error is not None and result.error.facts.get("suggestion") and nuance != "needs_tls":
        yield f"{verdict}.elsewhere"
    if nuance:
        yield f"{verdict}.{nuance}.{provider.id}"
        yield f"{verdict}.{nuance}"
    elif verdict == "wrong_base_url" and not provider.base_url.endswith(("/v1", "/v1beta")):
        yield "wrong_base_url.no_v1"
    elif verdict == "dns_failed" and provider.bundled:
        yield "dns_failed.bundled"
