"""What a refused request means: status, headers and error body of any provider to one of our errors.

Structured codes decide before free text does, and free text before the status: providers echo the prompt in
their messages, so words alone are the weakest sign. Sources: the provider tables of the wire facts (§3.2, §4.2,
§5.3, §6.1, §7.1, §8.1, §9, §10.8) and routing facts §2.3, §2.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from vibedesk.engine import errors
from vibedesk.engine.dialects.adapting import parameter_in
from vibedesk.engine.dialects.complaint import Complaint, clean, complaint_of
from vibedesk.engine.dialects.meanings import (
    CODES,
    GATEWAY_FAULTS,
    GATEWAY_STATUSES,
    OF_THE_KEY,
    PAGE_STATUSES,
    SAY_LITTLE,
    SAY_NOTHING,
    STATUSES,
    TEXTS,
    Kind,
)
from vibedesk.engine.dialects.retry_after import exhausted_buckets, wait_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Provider

_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-generation-id",
    "cf-aig-request-id",
    "cf-aig-log-id",
    "cf-ray",
)
_TOO_BIG_FOR_MINUTE = re.compile(r"request too large for", re.IGNORECASE)
_DAY = re.compile(r"per ?day|daily|\b[rt]pd\b|-day$", re.IGNORECASE)
_MINUTE = re.compile(r"per ?minute|\b(?:[rt]pm|itpm|otpm)\b|-minute$", re.IGNORECASE)
_NO_KEY = re.compile(
    r"did(?:n't| not) provide an api key|x-api-key header is required|unregistered callers"
    r"|missing (?:api key|authentic)|no api key|api key is required|no auth credentials",
    re.IGNORECASE,
)
_OVERFLOW = (
    re.compile(r"(?P<tokens>\d+) tokens > (?P<window>\d+) maximum"),
    re.compile(r"token count \((?P<tokens>\d+)\).{0,60}allowed \((?P<window>\d+)\)"),
    re.compile(r"maximum context length is (?P<window>\d+) tokens.{0,80}?(?P<tokens>\d+) tokens"),
    re.compile(r"contains (?P<tokens>\d+) tokens.{0,80}with (?P<window>\d+) maximum"),
    re.compile(r"Limit (?P<window>\d+).{0,40}Requested (?P<tokens>\d+)"),
    re.compile(r"maximum context length is (?P<window>\d+)"),
    re.compile(r"current length is (?P<tokens>\d+) while limit is (?P<window>\d+)", re.IGNORECASE),
)


def request_id_of(headers: Mapping[str, str]) -> str:
    """The id to quote to the provider's support, or ""."""
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")[:200]


def refusal_of(status: int, headers: Mapping[str, str], body: bytes, provider: Provider) -> EngineError:
    """Our error for a status other than 2xx, or for an error body with any status (an error inside a stream: 200)."""
    headers = {name.lower(): value for name, value in headers.items()}
    complaint = complaint_of(body)
    kind, more = _kind(status, headers, complaint)
    if complaint.gateway_code is not None:
        kind, more = errors.GatewayError, {"fault": _fault(status, complaint)}
    elif _keyless(status, headers, complaint):
        kind, more = errors.GatewayError, {"fault": "provider_key"}
    if issubclass(kind, errors.BadRequest):
        more["parameter"] = parameter_in(complaint.param, complaint.message)
    if complaint.words:
        more["signs"] = clean(" ".join(complaint.words))
    heard = status if status >= 400 or complaint.status is None else complaint.status
    scope = more.get("scope")
    no_wait_helps = scope == "model" or (scope == "day" and complaint.retry_delay)
    wait = None if no_wait_helps else wait_of(
        headers, delay=complaint.retry_delay, message=complaint.message
    )  # fmt: skip
    return kind(
        " ".join(filter(None, (f"HTTP {heard}", complaint.code or complaint.type))),
        provider=provider.id,
        status=heard,
        provider_message=complaint.message,
        code=complaint.code or (complaint.words[0] if complaint.words else ""),
        request_id=clean(complaint.request_id or request_id_of(headers)),
        retry_after_s=wait if issubclass(kind, errors.ProviderError) else None,
        **more,
    )


def _kind(status: int, headers: Mapping[str, str], complaint: Complaint) -> tuple[Kind, dict[str, object]]:
    """The class, and the facts only it has."""
    if 300 <= status < 400:
        return errors.NotThisApi, {"title": "", "host": urlsplit(headers.get("location", "")).netloc}
    if complaint.shape != "json":
        kind = _of_no_json(status, complaint)
        return kind, {"title": complaint.title} if kind in (errors.NotThisApi, errors.NetworkBlocked) else {}
    effective = complaint.status if status < 400 else status
    kind = _of_codes(effective, complaint)
    if kind is errors.RateLimited:
        return _of_rate(headers, complaint)
    if kind is errors.ContextOverflow:
        return kind, _overflow(complaint.message)
    return kind, {}


def _of_no_json(status: int, complaint: Complaint) -> Kind:
    if complaint.shape == "text":
        kind = _of_words(status, complaint.message) if status >= 400 else None
        if kind is not None:
            return kind
    if complaint.shape == "page" and status in PAGE_STATUSES:
        return PAGE_STATUSES[status]
    if status in STATUSES:
        return STATUSES[status]
    return errors.ServerError if status >= 500 else errors.NotThisApi


def _of_codes(status: int | None, complaint: Complaint) -> Kind:
    if status in (413, 429) and _TOO_BIG_FOR_MINUTE.search(complaint.message):
        return (
            errors.ContextOverflow
        )  # over the tokens of a whole minute: waiting never helps, shortening does
    if status == 403 and complaint.reasons_given:
        return errors.ContentBlocked
    if status == 402 and complaint.limit_source == "openrouter_in_flight_budget":
        return errors.RateLimited
    for word in complaint.words:
        if word in CODES:
            return _leaked_or(CODES[word], complaint)
    by_words = _of_words(status, complaint.message) if SAY_LITTLE.issuperset(complaint.words) else None
    return by_words or _of_status(status, complaint)


def _of_words(status: int | None, message: str) -> Kind | None:
    """What the words mean. Inside the refusal of a request they may be the user's own, quoted: only where they come
    first do they say something of the key."""
    for rule, kind in TEXTS:
        found = rule.search(message)
        if found and (kind not in OF_THE_KEY or status in (401, 403) or found.start() == 0):
            return kind
    return None


def _leaked_or(kind: Kind, complaint: Complaint) -> Kind:
    return errors.LeakedKey if kind in OF_THE_KEY and "reported as leaked" in complaint.message else kind


def _of_status(status: int | None, complaint: Complaint) -> Kind:
    if status is None:
        return errors.BadRequest if SAY_NOTHING & set(complaint.words) else errors.ServerError
    if status == 404:
        about_model = "model" in complaint.message.lower() or complaint.param == "model"
        return errors.ModelNotFound if about_model or "NOT_FOUND" in complaint.words else errors.NotThisApi
    if status in STATUSES:
        return STATUSES[status]
    return errors.ServerError if status >= 500 else errors.BadRequest


def _of_rate(headers: Mapping[str, str], complaint: Complaint) -> tuple[Kind, dict[str, object]]:
    if "limit: 0" in complaint.message and "RESOURCE_EXHAUSTED" in complaint.words:
        # Google: this model has no free quota at all. Limits are per project and model (routing facts §2.4).
        return errors.NoCredit, {"scope": "model"}
    signs = (*complaint.quota_ids, complaint.message, *exhausted_buckets(headers))
    if any(map(_DAY.search, signs)):
        return errors.RateLimited, {"scope": "day"}
    if any(map(_MINUTE.search, signs)):
        return errors.RateLimited, {"scope": "minute"}
    return errors.RateLimited, {"scope": "unknown"}


def _overflow(message: str) -> dict[str, object]:
    """How many tokens it was, and how many there may be, where the message says so."""
    for rule in _OVERFLOW:
        if match := rule.search(message.replace(",", "")):
            return {name: int(value) for name, value in match.groupdict().items()}
    return {}


def _keyless(status: int, headers: Mapping[str, str], complaint: Complaint) -> bool:
    """The provider missed a key behind the gateway: none was sent, and the gateway has none stored (wire.md §10.8)."""
    through_gateway = any(name.startswith("cf-aig-") for name in headers)
    return through_gateway and status in (401, 403) and bool(_NO_KEY.search(complaint.message))


def _fault(status: int, complaint: Complaint) -> str:
    status = complaint.status or status
    if complaint.gateway_code in GATEWAY_FAULTS:
        return GATEWAY_FAULTS[complaint.gateway_code]
    if status == 429 and "spend" in complaint.message.lower():
        return "spend_limit"
    return GATEWAY_STATUSES.get(status, "upstream" if status >= 500 else "unknown")
