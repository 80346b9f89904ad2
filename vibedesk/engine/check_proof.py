"""What proves a key: a place that takes it and would take no other. A list that everyone may read proves nothing."""

from __future__ import annotations

from vibedesk.engine import passport
from vibedesk.engine.check_asking import Asking, Skipped
from vibedesk.engine.check_places import is_the_gateway_s
from vibedesk.engine.dialects import Call
from vibedesk.engine.errors import Restricted
from vibedesk.engine.http import Answered


async def proof(ask: Asking) -> str:
    """The key is accepted, at the place that tells most of it. Raises `Skipped` where no place tells anything."""
    path = ask.provider.check_path
    if ask.subject.of_gateway:
        return await _token_accepted(ask)
    if path and ask.deployment.via == "direct" and await _is_guarded(ask, path):
        return await _account(ask, path)
    if not ask.found.open_to_all:
        return await _may_list(ask)
    return await _refused_without_it(ask)


async def _is_guarded(ask: Asking, path: str) -> bool:
    """Bundled places are known to be; those a user names are tried without the key first."""
    if ask.provider.bundled:
        return True
    answered = await ask.get(Call(method="GET", path=path), secrets=False)
    return answered.status in (400, 401, 403)


async def _account(ask: Asking, path: str) -> str:
    answered = await ask.get(Call(method="GET", path=path))
    if answered.status >= 300:
        raise ask.refusal(answered)
    if not passport.is_account(answered.body):
        ask.dialect.read_models(answered.body, ask.provider)
    told, obstacle = passport.account_in(answered.body)
    ask.found.passport |= told
    limits = {"spending limit": "limit", "left to spend": "limit_remaining", "balance": "balance"}
    ask.found.limits |= {limits[name]: words for name, words in told.items() if name in limits}
    if obstacle is not None:
        raise obstacle
    return _accepted(ask, answered)


async def _may_list(ask: Asking) -> str:
    answered = await ask.get(ask.list_call())
    if answered.status >= 300:
        error = ask.refusal(answered)
        if isinstance(error, Restricted) and "scope" in f"{error.provider_message} {error.code}".lower():
            error.facts["lacks"] = "list"
            ask.found.unlisted, ask.found.proven = error, True
            return "a real key, that may not list models"
        raise error
    ask.found.listed = answered
    return _accepted(ask, answered)


async def _refused_without_it(ask: Asking) -> str:
    """A request for nothing, which costs nothing: where it is turned away without a key and understood with one,
    the key was accepted. Where it makes no difference, nothing is proven."""
    path = {"openai-chat": "/chat/completions", "openai-responses": "/responses"}.get(ask.dialect.name)
    if path is not None:
        call = Call(method="POST", path=path, body={})
        without = await ask.get(call, secrets=False)
        if without.status in (401, 403):
            answered = await ask.get(call)
            if answered.status in (401, 403, 402, 429):
                raise ask.refusal(answered)
            if answered.status in (400, 404, 415, 422):
                return _accepted(ask, answered)
    raise Skipped("nothing proven: it answers everyone alike")


async def _token_accepted(ask: Asking) -> str:
    """A gateway that lets the request through has accepted its token, whatever the provider behind it says."""
    if ask.found.open_to_all:
        raise Skipped("nothing proven: the gateway asks nobody for a token")
    answered = await ask.get(ask.list_call())
    if answered.status >= 300 and is_the_gateway_s(error := ask.refusal(answered)):
        raise error
    _accepted(ask, answered)
    return "the gateway accepts the token"


def _accepted(ask: Asking, answered: Answered) -> str:
    ask.found.proven = True
    ask.found.evidence["status"] = str(answered.status)
    return "accepted"
