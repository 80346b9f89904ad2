"""An error body, whatever its shape, as one value: wire facts §11.3, "body parsing order"."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from msgspec import Struct

from vibedesk.engine.dialects.lenient import Unreadable, loads, obj, objects, text
from vibedesk.engine.dialects.surrogates import whole

MESSAGE_LIMIT = 300
_BODY_LIMIT = 1024 * 1024

_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style|head)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_KEY = re.compile(r"(?<![\w-])(sk-|gsk_|csk-|tgp_v1_|AIza|AQ\.|xai?-|xa\*|cfut_|cfat_|cfk_)[\w*.-]*[\w*-]")
_KEY_AFTER_WORDS = re.compile(
    r"(api[ _-]?key(?: provided)?\s*[:=]\s*)['\"]?[^\s'\",]*[\w*][^\s'\",]*", re.IGNORECASE
)
_OBJECT = re.compile(rb'\[?\s*\{\s*"')
# A quotation mark of the user's own has a backslash before it, as has one inside a string.
_MEMBER = re.compile(r'(?<!\\)"(code|type|message|msg)"\s*:\s*"((?:[^"\\]|\\.){0,600})')


class Complaint(Struct, kw_only=True):
    """What an error body says. Every field may be empty; `status` is the one the body names, if any.

    `words` are the structured codes, most telling first: details, reasons, code, type, status word.
    `shape`: "json", "page" (HTML), "text" or "empty".
    """

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    status: int | None = None
    words: tuple[str, ...] = ()
    retry_delay: str = ""
    quota_ids: tuple[str, ...] = ()
    reasons_given: bool = False
    limit_source: str = ""
    request_id: str = ""
    gateway_code: int | None = None
    title: str = ""
    shape: str = "json"


def complaint_of(body: bytes) -> Complaint:
    """Reads any error body; never raises."""
    body = body[:_BODY_LIMIT].strip(b" \t\r\n\xef\xbb\xbf")
    if not body:
        return Complaint(shape="empty")
    if body[:1] == b"<":
        title = title_of(body)
        return Complaint(shape="page", title=title, message=title or clean(_visible(body)))
    try:
        document = loads(body)
    except Unreadable:
        if _OBJECT.match(body):
            return _of_fragment(body)
        return Complaint(shape="text", message=clean(body.decode("utf-8", "replace")))
    if isinstance(document, list):
        document = next((item for item in document if isinstance(item, dict)), {})
    if isinstance(document, str):
        return Complaint(message=clean(document))
    return _of_document(obj(document))


def clean(message: str) -> str:
    """Foreign words made fit to show and to log: no tags, no control characters, no keys, at most 300 characters."""
    message = _UNSEEN.sub("", _ANSI.sub("", _TAG.sub(" ", whole(message))))
    message = _KEY_AFTER_WORDS.sub(r"\1…", _KEY.sub(r"\1…", " ".join(message.split())))
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"


def title_of(page: bytes) -> str:
    """The title of an HTML page, cleaned, or ""."""
    match = _TITLE.search(page)
    return clean(unescape(match[1].decode("utf-8", "replace"))) if match else ""


def _visible(page: bytes) -> str:
    return unescape(_TAG.sub(" ", _HIDDEN.sub(" ", page.decode("utf-8", "replace"))))


def _of_fragment(body: bytes) -> Complaint:
    """JSON that broke off, as where a whole prompt is quoted: the code and the words with which it began."""
    found: dict[str, str] = {}
    for name, value in _MEMBER.findall(body.decode("utf-8", "replace")):
        if value != "error":  # the type of Anthropic's envelope
            found.setdefault("message" if name == "msg" else name, value)
    code, kind = found.get("code", ""), found.get("type", "")
    return Complaint(
        message=clean(_unescaped(found.get("message", ""))),
        code=code,
        type=kind,
        words=tuple(filter(None, (_word(code), kind))),
    )


def _unescaped(value: str) -> str:
    try:
        return text(loads(f'"{value}"'.encode()))
    except Unreadable:
        return value


def _of_document(document: dict[str, Any]) -> Complaint:
    error = document.get("error")
    gateway_code = _gateway_code(document)
    if gateway_code is not None:
        listed = objects(error) or objects(document.get("errors"))
        complaint = Complaint(message=words_of(listed) or words_of(document), gateway_code=gateway_code)
        complaint.status = _status(document.get("httpCode"))
        complaint.code = str(gateway_code)
    elif isinstance(error, dict) and error:
        complaint = _of_error(error)
    else:
        complaint = _of_flat(document, error)
    if complaint.status is None:
        complaint.status = _status(document.get("status_code"))
    complaint.message = clean(complaint.message)
    complaint.request_id = text(document.get("request_id")) or complaint.request_id
    return complaint


def _gateway_code(document: dict[str, Any]) -> int | None:
    listed = objects(document.get("error")) or objects(document.get("errors"))
    code = document.get("internalCode", listed[0].get("code") if listed else None)
    named = document.get("name") == "AiGatewayError" or "internalCode" in document
    if named or (document.get("success") is False and isinstance(code, int)):
        return code if isinstance(code, int) else 0
    return None


def _of_error(error: dict[str, Any]) -> Complaint:
    details = error.get("details")
    infos = objects(details)
    metadata = obj(error.get("metadata"))
    reasons = [text(info.get("reason")) for info in infos]
    code, status = error.get("code"), error.get("status")
    words = (
        text(obj(details).get("error_code")),
        *reasons,
        _word(code),
        text(error.get("type")),
        text(status),
    )
    quota = [text(v.get("quotaId")) for info in infos for v in objects(info.get("violations"))]
    message = words_of(error)
    if raw := words_of(metadata.get("raw")):
        message = f"{message}: {raw}"
    return Complaint(
        message=message,
        code=text(code) or _number_word(code),
        type=text(error.get("type")),
        param=_param(error),
        status=_status(code) or _status(status) or _status(error.get("status_code")),
        words=tuple(word for word in words if word),
        retry_delay=next((text(info.get("retryDelay")) for info in infos if info.get("retryDelay")), ""),
        quota_ids=tuple(name for name in quota if name),
        reasons_given=bool(metadata.get("reasons")),
        limit_source=text(metadata.get("limit_source")),
        request_id=text(error.get("request_id")),
    )


def _of_flat(document: dict[str, Any], error: object) -> Complaint:
    message = text(error) or words_of(document)
    code, kind = document.get("code"), text(document.get("type"))
    return Complaint(
        message=message,
        code=text(code) or _number_word(code),
        type=kind,
        param=_param(document),
        status=_status(code) or _status(document.get("status")),
        words=tuple(word for word in (_word(code), kind) if word),
    )


def _param(error: dict[str, Any]) -> str:
    said = text(error.get("param"))
    return said if said not in ("", "None") else _place_in(error)  # "None": LiteLLM's proxy


def _place_in(error: dict[str, Any]) -> str:
    """The field that is named by its place in the request alone: FastAPI's and Mistral's `detail[].loc`."""
    for item in objects(error.get("detail")) or objects(obj(error.get("message")).get("detail")):
        loc = item.get("loc")
        names = [part for part in loc if isinstance(part, str)] if isinstance(loc, list) else []
        if named := [name for name in names if name != "body"]:
            return ".".join(named)
    return ""


def _word(code: object) -> str:
    """A code in letters: one in digits says no more than a number."""
    return "" if text(code).isdigit() else text(code)


def _status(value: object) -> int | None:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)  # as LiteLLM's proxy writes it
    return value if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600 else None


def _number_word(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def words_of(value: object) -> str:
    """The human words in a value of any shape: a string, `{message}`, `{detail}`, `{msg}`, or a list of them."""
    match value:
        case str():
            return value
        case dict():
            keys = ("message", "detail", "msg", "error", "title", "explanation")
            return next((found for key in keys if (found := words_of(value.get(key)))), "")
        case list():
            return "; ".join(found for item in value[:5] if (found := words_of(item)))
        case _:
            return ""
