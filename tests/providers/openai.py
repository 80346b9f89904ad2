"""OpenAI on loopback: Chat Completions and Responses, as strict as the real one; also in the flavours of
Groq, Cerebras and Together."""

from __future__ import annotations

import re
from typing import Any, Literal, NoReturn

from tests.providers.behaviour import Behaviour, behaviour_named
from tests.providers.held import schema_fault
from tests.providers.responses import check_responses, response_events, response_object
from tests.providers.server import Event, Loopback, Refused, Reply, Seen, json_reply, sse, words

Flavour = Literal["openai", "groq", "cerebras", "together"]

MODELS: dict[Flavour, tuple[str, ...]] = {
    "openai": ("gpt-6-luna", "gpt-6.1-sol", "gpt-4.1-mini", "gpt-5.5-pro", "text-embedding-3-small"),
    "groq": ("openai/gpt-oss-120b", "qwen/qwen3.8-27b", "whisper-large-v3"),
    "cerebras": ("gpt-oss-120b", "qwen-3.8-27b"),
    "together": ("openai/gpt-oss-120b", "deepseek-ai/DeepSeek-V4.1-Flash"),
}
FIELDS = frozenset(
    {
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "presence_penalty",
        "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "seed", "n", "stop", "reasoning_effort",
        "verbosity", "response_format", "tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options",
        "service_tier", "prompt_cache_key", "metadata", "store", "safety_identifier", "user",
    }
)  # fmt: skip
OWN_FIELDS: dict[Flavour, frozenset[str]] = {
    "openai": frozenset(),
    "groq": frozenset({"reasoning_format", "include_reasoning"}),
    "cerebras": frozenset({"reasoning_format", "min_tokens", "disable_reasoning", "clear_thinking"}),
    "together": frozenset({"top_k", "min_p", "repetition_penalty", "reasoning", "chat_template_kwargs"}),
}
NOT_TAKEN: dict[Flavour, frozenset[str]] = {
    "openai": frozenset(),
    "groq": frozenset(
        {"logprobs", "top_logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "verbosity"}
    ),
    "cerebras": frozenset({"verbosity", "metadata", "store"}),
    "together": frozenset({"verbosity", "store", "metadata", "max_completion_tokens"}),
}
PREFIX: dict[Flavour, str] = {"openai": "/v1", "groq": "/openai/v1", "cerebras": "/v1", "together": "/v1"}
RESPONSES_ONLY = re.compile(r".*-pro|.*-codex.*|.*-deep-research")
ONLY_DEFAULT_TEMPERATURE = re.compile(r"o[134].*|gpt-5|gpt-5-(mini|nano)|gpt-6-astra|gpt-6\.1-.*")
TEMPERATURE_WITHOUT_REASONING = re.compile(r"gpt-5\.\d.*|gpt-6-(sol|luna)")
NONE_BY_DEFAULT = re.compile(r"gpt-5\.[124].*")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
PIXEL = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*")


class OpenAI(Loopback):
    """`flavour` chooses models, fields, error bodies and the place of usage."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        key: str = "loopback-key",
        flavour: Flavour = "openai",
        models: tuple[str, ...] = (),
        port: int = 0,
    ) -> None:
        super().__init__(behaviour, key=key, port=port)
        self.flavour = flavour
        self.models = models or MODELS[flavour]
        self.prefix = PREFIX[flavour]

    def answer(self, seen: Seen) -> Reply:
        if not seen.path.startswith(self.prefix + "/"):
            raise Refused(404, {"error": {"message": f"Invalid URL ({seen.method} {seen.path})", "type": "invalid_request_error", "param": None, "code": None}})  # fmt: skip # noqa: E501
        self._check_key(seen)
        match seen.method, seen.path.removeprefix(self.prefix):
            case "GET", "/models":
                return self.reply(self.behaviour_for("", "list"), json_reply(self._listed()))
            case "POST", "/chat/completions":
                return self._chat(self._asked(seen))
            case "POST", "/responses" if self.flavour in ("openai", "groq"):
                return self._responses(self._asked(seen))
        message = f"Unknown request URL: {seen.method} {seen.path}."
        raise Refused(404, self._error(message, "invalid_request_error", None, "unknown_url"))

    def refuse(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> NoReturn:
        """Raises the error as this flavour words it: flat at Cerebras, wrapped elsewhere."""
        raise Refused(status, self._error(message, "invalid_request_error", param, code))

    def refusal(self, status: int) -> Any:
        return _refusals(self).get(status) or self._error(
            "The server had an error", "server_error", None, None
        )

    def in_band_error(self) -> bytes:
        failure = {
            "message": "The server is overloaded",
            "type": "server_error",
            "param": None,
            "code": "server_error",
        }
        return sse({"error": failure} | ({"status_code": 500} if self.flavour == "cerebras" else {}))

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        message = {"role": "assistant", "content": behaviour.text}
        choice = {"index": 0, "message": message, "finish_reason": behaviour.finish}
        return {"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": [choice], "usage": _usage(behaviour, 9)}  # fmt: skip # noqa: E501

    def _error(self, message: str, kind: str, param: str | None, code: str | None) -> Any:
        fields = {"message": message, "type": kind, "param": param, "code": code}
        return fields if self.flavour == "cerebras" else {"error": fields}

    def _check_key(self, seen: Seen) -> None:
        if not seen.headers.get("user-agent"):
            raise Refused(403, self.refusal(403), {"content-type": "text/html"})
        given = seen.headers.get("authorization")
        if given is None:
            if self.flavour == "cerebras":
                raise Refused(403, {"detail": "Not authenticated"})
            self.refuse(401, "You didn't provide an API key.")
        if given != f"Bearer {self.key}":
            raise Refused(401, self.refusal(401), {"x-request-id": "req_refused"})

    def _asked(self, seen: Seen) -> dict[str, Any]:
        if not seen.headers.get("content-type", "").startswith("application/json"):
            self.refuse(400, "you must provide a JSON body with content-type application/json")
        body = seen.body
        if not isinstance(body, dict) or not isinstance(body.get("model"), str):
            self.refuse(400, "you must provide a model parameter")
        known = (*self.models, *self.behaviours)
        if body["model"] not in known and behaviour_named(body["model"], self.behaviour) is None:
            raise Refused(404, self._error(f"The model `{body['model']}` does not exist or you do not have access to it.", "invalid_request_error", "model", "model_not_found"))  # fmt: skip # noqa: E501
        return body

    # Chat Completions

    def _chat(self, body: dict[str, Any]) -> Reply:
        model = body["model"]
        self._check_fields(body)
        if self.flavour == "openai":
            if RESPONSES_ONLY.fullmatch(model):
                self.refuse(
                    404,
                    "This model is only supported in v1/responses and not in v1/chat/completions.",
                    param="model",
                )
            self._check_reasoning_model(body)
        behaviour = self.behaviour_for(model, "ask")
        if not body.get("stream"):
            return self.reply(behaviour, json_reply(self.whole(model, behaviour)), model)
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "x-request-id": f"req_{len(self.seen)}",
        }
        events = self._events(model, behaviour, bool((body.get("stream_options") or {}).get("include_usage")))
        return self.reply(behaviour, Reply(200, headers, events=events), model)

    def _check_fields(self, body: dict[str, Any]) -> None:
        taken = (FIELDS | OWN_FIELDS[self.flavour]) - NOT_TAKEN[self.flavour]
        for name, value in body.items():
            if name not in taken:
                if self.flavour == "groq":
                    self.refuse(400, f"property '{name}' is unsupported")
                self.refuse(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
            if value is None:
                self.refuse(
                    400, f"Invalid type for '{name}': got null instead.", param=name, code="invalid_type"
                )
        if "stream_options" in body and not body.get("stream"):
            self.refuse(
                400,
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                param="stream_options",
            )
        temperature = body.get("temperature", 0)
        if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
            self.refuse(400, "Invalid 'temperature'.", param="temperature", code="decimal_above_max_value")
        for name in ("max_tokens", "max_completion_tokens"):
            if name in body and (not isinstance(body[name], int) or body[name] < 1):
                self.refuse(400, f"Invalid '{name}'.", param=name, code="integer_below_min_value")
        self._check_sampling(body)
        if (wrong := schema_fault(body.get("response_format"), "response_format")) is not None:
            self.refuse(400, wrong, param="response_format", code="invalid_value")
        if body.get("reasoning_effort", "low") not in EFFORTS:
            self.refuse(
                400, "Invalid value for 'reasoning_effort'.", param="reasoning_effort", code="invalid_value"
            )
        self._check_messages(body.get("messages"))

    def _check_sampling(self, body: dict[str, Any]) -> None:
        top_p, stop, seed = body.get("top_p", 1), body.get("stop", "."), body.get("seed", 0)
        if not isinstance(top_p, int | float) or not 0 <= top_p <= 1:
            self.refuse(400, "Invalid 'top_p'.", param="top_p", code="decimal_above_max_value")
        if isinstance(seed, bool) or not isinstance(seed, int):
            self.refuse(400, "Invalid type for 'seed'.", param="seed", code="invalid_type")
        sequences = [stop] if isinstance(stop, str) else stop
        if not isinstance(sequences, list) or not 1 <= len(sequences) <= 4:
            self.refuse(400, "Invalid 'stop': array too long.", param="stop", code="array_above_max_length")
        if not all(isinstance(sequence, str) and sequence for sequence in sequences):
            self.refuse(400, "Invalid type for 'stop[0]'.", param="stop", code="invalid_type")

    def _check_messages(self, messages: Any) -> None:
        if not isinstance(messages, list) or not messages:
            self.refuse(400, "[] is too short - 'messages'", param="messages")
        for place, message in enumerate(messages):
            if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
                self.refuse(400, f"Invalid value: '{message.get('role')}'.", param=f"messages[{place}].role")
            if message["role"] == "developer" and self.flavour != "openai":
                self.refuse(400, "Invalid role 'developer'.", param=f"messages[{place}].role")
            content = message.get("content")
            if isinstance(content, str):
                continue
            if not isinstance(content, list) or not all(_is_part(part) for part in content):
                self.refuse(400, "Invalid content part.", param=f"messages[{place}].content")

    def _check_reasoning_model(self, body: dict[str, Any]) -> None:
        model = body["model"]
        fixed = ONLY_DEFAULT_TEMPERATURE.fullmatch(model) is not None
        conditional = TEMPERATURE_WITHOUT_REASONING.fullmatch(model) is not None
        if not (fixed or conditional):
            if "reasoning_effort" in body:
                self.refuse(400, "Unrecognized request argument supplied: reasoning_effort", param="reasoning_effort", code="unsupported_parameter")  # fmt: skip # noqa: E501
            return
        if "max_tokens" in body:
            self.refuse(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter")  # fmt: skip # noqa: E501
        effort = body.get("reasoning_effort") or ("none" if NONE_BY_DEFAULT.fullmatch(model) else "medium")
        if body.get("temperature", 1) != 1 and (fixed or effort != "none"):
            self.refuse(400, "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", param="temperature", code="unsupported_value")  # fmt: skip # noqa: E501
        if body.get("top_p", 1) != 1 and (fixed or effort != "none"):
            self.refuse(400, "Unsupported parameter: 'top_p' is not supported with this model.", param="top_p", code="unsupported_parameter")  # fmt: skip # noqa: E501
        for name in ("stop", "seed"):
            if name in body:
                self.refuse(400, f"Unsupported parameter: '{name}' is not supported with this model.", param=name, code="unsupported_parameter")  # fmt: skip # noqa: E501

    def _events(self, model: str, behaviour: Behaviour, include_usage: bool) -> list[Event]:
        def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "system_fingerprint": None, "choices": [choice], **more})  # fmt: skip # noqa: E501

        nothing = {"usage": None} if self.flavour == "openai" and include_usage else {}
        thought = [] if self.flavour == "openai" else words(behaviour.reasoning)
        if behaviour.instead == "only_done":
            return [Event("start", chunk({"role": "assistant", "content": ""})), Event("end", sse("[DONE]"))]
        return [
            Event("start", chunk({"role": "assistant", "content": ""}, **nothing)),
            *(Event("delta", chunk({"reasoning": word}, **nothing)) for word in thought),
            *(Event("delta", chunk({"content": word}, **nothing)) for word in words(behaviour.text)),
            *(Event("end", data) for data in self._last(chunk, model, behaviour, include_usage)),
        ]

    def _last(self, chunk: Any, model: str, behaviour: Behaviour, include_usage: bool) -> list[bytes]:
        usage = _usage(behaviour, 9) if behaviour.usage else None
        extra_chunk = sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [], "usage": usage})  # fmt: skip # noqa: E501
        match self.flavour:
            case "groq":
                last = chunk({}, behaviour.finish, x_groq={"id": "req_01", "usage": usage})
            case "cerebras":
                last = chunk(
                    {}, behaviour.finish, usage=usage, time_info={"total_time": 0.04, "created": 1.5}
                )
            case "together":
                last = chunk(
                    {"content": ""}, "eos" if behaviour.finish == "stop" else behaviour.finish, usage=usage
                )
            case _:
                last = chunk({}, behaviour.finish)
        extra = [extra_chunk] if include_usage and usage and self.flavour in ("openai", "groq") else []
        return [last, *extra, sse("[DONE]")]

    # Responses

    def _responses(self, body: dict[str, Any]) -> Reply:
        complaint = check_responses(body)
        if complaint is not None:
            message, param, code = complaint
            self.refuse(400, message, param=param, code=code)
        self._check_reasoning_model(
            {"model": body["model"]} | {name: body[name] for name in ("temperature",) if name in body}
        )
        behaviour = self.behaviour_for(body["model"], "ask")
        if not body.get("stream"):
            return self.reply(behaviour, json_reply(response_object(body["model"], behaviour)), body["model"])
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "x-request-id": f"req_{len(self.seen)}",
        }
        return self.reply(
            behaviour, Reply(200, headers, events=response_events(body["model"], behaviour)), body["model"]
        )

    def _listed(self) -> Any:
        if self.flavour == "together":
            return [
                {"id": id, "object": "model", "created": 1, "type": "chat", "display_name": id,
                 "context_length": 131072,
                 "pricing": {"hourly": 0, "input": 0.15, "output": 0.6, "cached_input": 0.075}}
                for id in self.models
            ]  # fmt: skip
        more = (
            {"active": True, "context_window": 131072, "max_completion_tokens": 65536}
            if self.flavour == "groq"
            else {}
        )
        rows = [
            {"id": id, "object": "model", "created": 1, "owned_by": "system", **more} for id in self.models
        ]
        return {"object": "list", "data": rows}


class Responses(OpenAI):
    """The same server for a provider whose dialect is Responses: its errors in a stream and whole answers are
    of that kind."""

    def in_band_error(self) -> bytes:
        failure = {
            "type": "error",
            "sequence_number": 9,
            "code": "server_error",
            "message": "It broke",
            "param": None,
        }
        return sse(failure, "error")

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        return response_object(model, behaviour)


def _usage(behaviour: Behaviour, prompt: int) -> dict[str, Any]:
    thought, said = len(words(behaviour.reasoning)), len(words(behaviour.text))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": thought + said,
        "total_tokens": prompt + thought + said,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def _is_part(part: Any) -> bool:
    match part:
        case {"type": "text", "text": str()}:
            return True
        case {"type": "image_url", "image_url": {"url": str() as url}}:
            return url.startswith("https://") or PIXEL.fullmatch(url) is not None
    return False


def _refusals(server: OpenAI) -> dict[int, Any]:
    """Status → the documented body (wire.md §3.2, §6.1, §7.1, §8.1)."""
    wrong_key = {
        "openai": server._error(
            "Incorrect API key provided: loop****-key.", "invalid_request_error", None, "invalid_api_key"
        ),
        "groq": server._error("Invalid API Key", "invalid_request_error", None, "invalid_api_key"),
        "cerebras": server._error("Wrong API Key", "invalid_request_error", "api_key", "wrong_api_key"),
        "together": server._error(
            "Invalid API key provided.", "invalid_request_error", None, "invalid_api_key"
        ),
    }
    no_credit = server._error("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", None, "insufficient_quota")  # fmt: skip # noqa: E501
    return {
        401: wrong_key[server.flavour],
        402: no_credit,
        403: server._error(
            "Country, region, or territory not supported",
            "request_forbidden",
            None,
            "unsupported_country_region_territory",
        ),
        404: server._error(
            "The model does not exist or you do not have access to it.",
            "invalid_request_error",
            "model",
            "model_not_found",
        ),
        429: server._error(
            "Rate limit reached. Please try again in 2s.", "requests", None, "rate_limit_exceeded"
        ),
        500: server._error(
            "The server had an error while processing your request", "server_error", None, None
        ),
        503: server._error(
            "The server is currently overloaded", "service_unavailable_error", None, "server_is_overloaded"
        ),
    }
