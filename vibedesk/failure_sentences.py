"""Every failure of a request in sentences: what it is called, what is true, and the one thing to do about it.

`wording.words_for` fills them in; `check_sentences` are those about the check of a key.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from vibedesk.engine.errors import EngineError


class Words(Struct, frozen=True):
    """One failure in words. `title` ≤ 6 words, `sentence` says what is true, `fix` what to do.

    `action` is the one button that helps: open_keys, add_key, use_another_model, retry, shorten, open_settings,
    open_billing or none.
    """

    title: str
    sentence: str
    fix: str
    action: str


# `{who}` is the provider's name, `{the_key}` the key's; the rest are facts of the error, with the words of `_UNKNOWN`
# where it does not carry one. A kind may have variants: "kind.value of its fact" (see `_VARIANT`).
FAILURE_SENTENCES: Mapping[str, Words] = {
    "error": Words("Something went wrong", "The request to {who} failed.", "Try again.", "retry"),
    # nothing was sent
    "not_asked": Words("Not asked", "Nothing was sent to {who}.", "Check the model and its key.", "none"),
    "no_key": Words("No key yet", "There is no usable key for {who}.", "Add a key for {who}.", "add_key"),
    "unknown_provider": Words(
        "Unknown provider", "There is no provider named “{name}”.", "{suggestion_fix}", "use_another_model"
    ),
    "unknown_route": Words(
        "Unknown route", "There is no route named “{name}”.", "{suggestion_fix}", "open_settings"
    ),
    "retired_model": Words(
        "Model retired",
        "{who} has retired the model {model}.",
        "Use {replacement} instead.",
        "use_another_model",
    ),
    "wrong_origin": Words(
        "Key kept for another address",
        "{the_key} was entered for {origin}, so it was not sent to {host}.",
        "Enter the key again if it belongs to the new address.",
        "open_keys",
    ),
    "insecure_address": Words(
        "Address not encrypted",
        "The address of {who} is plain http to another machine ({host}), so nothing was sent.",
        "Use https, or set allow_http = true for this provider.",
        "open_settings",
    ),
    "unsupported": Words(
        "Model cannot take this",
        "The model {model} cannot take {part}.",
        "Leave it out, or use a model that can.",
        "use_another_model",
    ),
    "secret_unavailable": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Unlock the vault and try again.",
        "open_keys",
    ),
    "secret_unavailable.unavailable": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Try again when the vault answers: the key is still in it.",
        "open_keys",
    ),
    "secret_unavailable.absent": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Start the keychain that holds it, and try again.",
        "open_keys",
    ),
    "secret_unavailable.gone": Words(
        "Key is gone", "{the_key} is no longer where it was kept.", "Add the key again.", "open_keys"
    ),
    "misconfigured": Words(
        "A setting is off", "A setting or an address is off.", "Correct it and try again.", "open_settings"
    ),
    "misconfigured.gateway": Words(
        "No way through the gateway",
        "It cannot go through the gateway.",
        "Ask directly, or set the gateway up in the settings.",
        "open_settings",
    ),
    "misconfigured.proxy": Words(
        "The proxy is off",
        "The proxy could not be used.",
        "Check the proxy that the environment or the system names.",
        "open_settings",
    ),
    "own_limit": Words(
        "Your own limit reached",
        "The limit you set for {the_key} is reached: {own}.",
        "Wait, it is free again {when}; or raise the limit with the key.",
        "open_keys",
    ),
    "own_limit.monthly_usd": Words(
        "Your own budget is used up",
        "The budget you set for {the_key} this month is used up.",
        "Raise it with the key, or use another one.",
        "open_keys",
    ),
    "resting": Words(
        "Left alone for a while",
        "{who} failed several times in a row, so the model {model} is not asked for the moment.",
        "It is tried again {when}.",
        "retry",
    ),
    # nothing came back
    "offline": Words(
        "No network",
        "This machine is not connected: no provider could be reached.",
        "Check the connection and try again.",
        "retry",
    ),
    "unreachable": Words(
        "No connection", "{who} could not be reached.", "Check the connection and try again.", "retry"
    ),
    "dns_failed": Words(
        "Address not found",
        "The name {host} could not be found: this machine may be offline, or the base URL misspelt.",
        "Check the connection and the base URL.",
        "retry",
    ),
    "refused": Words(
        "Connection refused",
        "Nothing answered at {host}: the connection was refused.",
        "Check that the server is running and that the base URL names its port.",
        "retry",
    ),
    "tls_untrusted": Words(
        "Certificate not trusted",
        "The certificate of {host}, issued by {issuer}, is not trusted by this machine; the key was not sent.",
        "If a company proxy stands between, add its certificate to the system’s trusted ones.",
        "open_settings",
    ),
    "tls_untrusted.expired": Words(
        "Certificate expired",
        "The certificate of {host} expired on {until}; the key was not sent.",
        "Check this machine’s clock; if it is right, the server needs a new certificate.",
        "retry",
    ),
    "tls_untrusted.wrong_name": Words(
        "Certificate for another name",
        "The certificate that {host} shows is for {names}, not for {host}; the key was not sent.",
        "Check the host in the base URL; a network’s sign-in page can also answer like this.",
        "open_settings",
    ),
    "tls_untrusted.no_tls": Words(
        "No encryption there",
        "{host} speaks no TLS at this port, and the base URL says https; the key was not sent.",
        "Check the port in the base URL.",
        "open_settings",
    ),
    "tls_untrusted.hung_up": Words(
        "Hung up before the handshake",
        "{host} hung up before it showed a certificate; the key was not sent.",
        "Try another network, or turn the VPN off.",
        "retry",
    ),
    "connection_lost": Words(
        "Connection lost", "{host} closed the connection before the answer began.", "Try again.", "retry"
    ),
    "timed_out": Words("Timed out", "{who} did not answer in time.", "Try again.", "retry"),
    "timed_out.connect": Words(
        "Could not connect in time",
        "{host} did not accept a connection within {limit}.",
        "Check the network, a VPN or a firewall, and try again.",
        "retry",
    ),
    "timed_out.first_token": Words(
        "No first word in time",
        "{who} took the request but said nothing within {limit}.",
        "Try again, or use another model.",
        "retry",
    ),
    "timed_out.idle": Words(
        "The answer stalled", "{who} stopped in the middle of the answer for {limit}.", "Try again.", "retry"
    ),
    "timed_out.total": Words(
        "The answer took too long",
        "{who} had not finished after {limit}.",
        "Ask for less, or use a faster model.",
        "use_another_model",
    ),
    # it answered, with an error
    "provider_error": Words(
        "The provider refused",
        "{who} answered with an error{status}.",
        "Try again, or use another model.",
        "retry",
    ),
    "invalid_key": Words(
        "Key not accepted",
        "{who} does not accept {the_key}: it is wrong, expired or revoked.",
        "Check that it was copied whole, or add another.",
        "open_keys",
    ),
    "leaked_key": Words(
        "Key blocked as leaked",
        "{who} has blocked {the_key}, because it was found in public.",
        "Revoke it at {who} and add a new one.",
        "open_keys",
    ),
    "wrong_key_type": Words(
        "Wrong kind of key",
        "{the_key} is real, but not of the kind that may ask models of {who}.",
        "Create an ordinary API key at {who} and add it.",
        "open_keys",
    ),
    "restricted": Words(
        "Key lacks a permission",
        "{who} knows {the_key}, but it may not do this.",
        "Give it the permission at {who}, or use another key.",
        "open_keys",
    ),
    "wrong_organisation": Words(
        "Wrong organisation or project",
        "{the_key} does not fit the organisation, project or address list set at {who}.",
        "Check the key’s project and its allowed addresses at {who}.",
        "open_keys",
    ),
    "region_blocked": Words(
        "Not offered in this region",
        "{who} does not answer requests from this country or region.",
        "Use a provider that serves your region.",
        "use_another_model",
    ),
    "network_blocked": Words(
        "Blocked on the way",
        "A firewall, proxy or VPN answered instead of {who}; this says nothing about the key.",
        "Try another network, or turn the VPN off.",
        "retry",
    ),
    "no_credit": Words(
        "No credit left",
        "The account behind {the_key} has no credit at {who}.",
        "Add credit at {who}.",
        "open_billing",
    ),
    "no_credit.model": Words(
        "Not in the free tier",
        "The free tier of {who} does not include {model}.",
        "Set up billing for the key’s project, or use another model.",
        "use_another_model",
    ),
    "spend_limit": Words(
        "Spending limit reached",
        "A spending limit set for {the_key} at {who} is reached.",
        "Raise the limit at {who}, or wait until it resets.",
        "open_billing",
    ),
    "rate_limited": Words(
        "Rate limit reached",
        "{who} asks to slow down: a rate limit is reached.",
        "Try again {when}.",
        "retry",
    ),
    "rate_limited.day": Words(
        "Daily limit reached",
        "{who} has given all it gives in a day.",
        "Try again {when}, or use another model.",
        "use_another_model",
    ),
    "overloaded": Words("Overloaded", "{who} is overloaded at the moment.", "Try again {when}.", "retry"),
    "server_error": Words(
        "Fault at the provider",
        "{who} failed with an error of its own{status}.",
        "Try again {when}.",
        "retry",
    ),
    "model_not_found": Words(
        "Model not available",
        "{who} does not offer the model {model} to this key.",
        "Choose a model from its list.",
        "use_another_model",
    ),
    "context_overflow": Words(
        "Too long for the model",
        "The conversation is longer than the model {model} can read{window}.",
        "Shorten it, or use a model with a larger window.",
        "shorten",
    ),
    "too_large": Words(
        "Request too large",
        "{who} does not take a request of this size.",
        "Send fewer or smaller images.",
        "shorten",
    ),
    "content_blocked": Words(
        "Refused by policy",
        "{who} refused this request or its answer by its content policy.",
        "Change the words, or use another model.",
        "use_another_model",
    ),
    "bad_request": Words(
        "Request not accepted",
        "{who} did not accept the request{parameter}.",
        "Change the parameters, or use another model.",
        "use_another_model",
    ),
    "gateway_error": Words(
        "Fault at the gateway",
        "The AI gateway answered with an error of its own{code}.",
        "Try again, or ask directly.",
        "retry",
    ),
    "gateway_error.gateway": Words(
        "Gateway not found",
        "There is no AI gateway of this name in this account{code}.",
        "Check the account id and the gateway’s name.",
        "open_settings",
    ),
    "gateway_error.token": Words(
        "Gateway token not accepted",
        "The AI gateway does not accept its token{code}; this says nothing about the provider’s key.",
        "Enter the gateway’s token again, or ask directly.",
        "open_settings",
    ),
    "gateway_error.slug": Words(
        "Gateway lacks this provider",
        "The AI gateway has no path to {who}{code}.",
        "Check the account id in the settings, or ask {who} directly.",
        "open_settings",
    ),
    "gateway_error.rate_limit": Words(
        "Gateway’s rate limit reached",
        "The AI gateway’s own rate limit is reached{code}, not {who}’s.",
        "Try again {when}, or raise the limit of the gateway.",
        "retry",
    ),
    "gateway_error.upstream": Words(
        "Gateway got no answer",
        "The AI gateway got no answer from {who}{code}.",
        "Try again, or ask directly.",
        "retry",
    ),
    "gateway_error.guardrail": Words(
        "Blocked by the gateway",
        "A guardrail of the AI gateway blocked the request or its answer{code}.",
        "Change the words, or the gateway’s guardrails.",
        "open_settings",
    ),
    "gateway_error.credit": Words(
        "Gateway has no credit",
        "The AI gateway’s account has no credit for this model{code}.",
        "Add credit at the gateway, or use your own key.",
        "open_billing",
    ),
    "gateway_error.spend_limit": Words(
        "Gateway’s spending limit reached",
        "A spending limit set at the AI gateway is reached{code}.",
        "Raise it at the gateway, or ask directly.",
        "open_billing",
    ),
    "gateway_error.alias": Words(
        "Gateway lacks the stored key",
        "The AI gateway has no stored key of that name{code}.",
        "Check the provider keys kept at the gateway.",
        "open_settings",
    ),
    "gateway_error.provider_key": Words(
        "Gateway lacks the provider’s key",
        "The AI gateway has no key of {who} stored, and none was sent{code}.",
        "Store the key of {who} at the gateway, or add it here.",
        "open_settings",
    ),
    # what came back is not this API
    "garbled": Words(
        "Not understood", "What came back is not an answer of {who}.", "Check the base URL.", "open_settings"
    ),
    "not_this_api": Words(
        "Not the provider’s API",
        "The address of {who} {answered}, not as its API does.",
        "Check the base URL; a sign-in page of the network can also answer like this.",
        "open_settings",
    ),
    "malformed": Words(
        "Answer not understood",
        "{who} sent something that its API does not promise.",
        "Check the provider’s dialect, or try again.",
        "retry",
    ),
    # an answer had begun, or claimed to have ended
    "interrupted": Words("Interrupted", "The answer of {who} was interrupted.", "Try again.", "retry"),
    "cut": Words(
        "The answer was cut",
        "The connection ended before {who} had finished; the text so far is kept.",
        "Ask again for the whole answer.",
        "retry",
    ),
    "empty_answer": Words(
        "Nothing was said",
        "{who} ended its answer without a word.",
        "Try again, allow more tokens, or use another model.",
        "retry",
    ),
    "answer_too_long": Words(
        "More than can be read",
        "{who} sent a line or a body over the size that is read; the text so far is kept.",
        "Ask for less.",
        "shorten",
    ),
}

_VARIANT = {
    "timed_out": "timer",
    "tls_untrusted": "fault",
    "own_limit": "limit",
    "no_credit": "scope",
    "rate_limited": "scope",
    "gateway_error": "fault",
    "misconfigured": "setting",
    "secret_unavailable": "state",
}


def template_for(error: EngineError) -> Words:
    """The words that fit it best, with the names of its facts in braces."""
    value = str(error.facts.get(_VARIANT.get(error.kind, ""), ""))
    kinds = (f"{error.kind}.{value}", error.kind, "error")
    return next(FAILURE_SENTENCES[kind] for kind in kinds if kind in FAILURE_SENTENCES)
