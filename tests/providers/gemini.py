"""Google's Gemini API on loopback, native format, as strict as the real one (wire.md §5)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from tests.providers.behaviour import Behaviour, behaviour_named
from tests.providers.server import Event, Loopback, Refused, Reply, Seen, json_reply, sse, words

MODELS = ("gemini-3.8-flash", "gemini-2.5-flash", "gemini-3.1-pro-preview")
FIELDS = frozenset(
    {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"}
)
CONFIG = frozenset(
    {
        "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "responseMimeType",
        "responseSchema", "responseJsonSchema", "thinkingConfig", "mediaResolution",
    }
)  # fmt: skip
THINKING = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})
NO_MINIMAL = re.compile(r"gemini-(3\.1-pro|3\.7-flash|3\.8-flash|4-).*")
STATUSES = {
    400: ("FAILED_PRECONDITION", "User location is not supported for the API use."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
    404: ("NOT_FOUND", "models/unknown is not found for API version v1beta."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
}


class Gemini(Loopback):
    """Its line ends are CRLF and its stream has neither event names nor a closing marker."""

    prefix = "/v1beta"

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        key: str = "loopback-key",
        models: tuple[str, ...] = MODELS,
        port: int = 0,
    ) -> None:
        super().__init__(behaviour, key=key, port=port)
        self.models = models

    def answer(self, seen: Seen) -> Reply:
        if not seen.path.startswith("/v1beta/"):
            raise Refused(404, {"error": {"code": 404, "message": "", "status": "NOT_FOUND"}})
        self._check_key(seen)
        if seen.method == "GET" and seen.path == "/v1beta/models":
            return self.reply(self.behaviour_for("", "list"), json_reply(self._listed()))
        asked = re.fullmatch(r"/v1beta/models/(.+):(streamGenerateContent|generateContent)", seen.path)
        if seen.method != "POST" or asked is None:
            _refuse(404, "NOT_FOUND", "Requested entity was not found.")
        return self._generate(seen, asked[1], streamed=asked[2] == "streamGenerateContent")

    def refusal(self, status: int) -> Any:
        if status == 429:
            return _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", *_QUOTA)
        return _error(status, *STATUSES.get(status, STATUSES[500]))

    def in_band_error(self) -> bytes:
        return json.dumps(self.refusal(503), indent=2).encode() + b"\n"

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        part = {"text": behaviour.text}
        return self._response(model, [part], behaviour, finish=_finish(behaviour))

    def _check_key(self, seen: Seen) -> None:
        given = seen.headers.get("x-goog-api-key")
        if given and "authorization" in seen.headers:
            _refuse(
                400, "INVALID_ARGUMENT", "Multiple authentication credentials received. Please pass only one."
            )
        if given is None:
            _refuse(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if given != self.key:
            reason = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
            raise Refused(
                400,
                _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason),
            )

    def _generate(self, seen: Seen, model: str, *, streamed: bool) -> Reply:
        if model not in (*self.models, *self.behaviours) and behaviour_named(model, self.behaviour) is None:
            _refuse(
                404, "NOT_FOUND", f"models/{model} is not found for API version v1beta, or is not supported."
            )
        self._check(model, seen.body)
        behaviour = self.behaviour_for(model, "ask")
        whole = json_reply(self.whole(model, behaviour))
        if not streamed:
            return self.reply(behaviour, whole, model)
        if seen.query.get("alt") != ["sse"]:
            return self.reply(behaviour, json_reply([self.whole(model, behaviour)]), model)
        events = self._events(model, behaviour)
        return self.reply(behaviour, Reply(200, {"content-type": "text/event-stream"}, events=events), model)

    def _check(self, model: str, body: Any) -> None:
        for name in body:
            _check_known(name, FIELDS, "")
        contents = body.get("contents")
        if not contents:
            _invalid("* GenerateContentRequest.contents: contents is not specified")
        for place, content in enumerate(contents):
            if content.get("role") not in ("user", "model"):
                _invalid("Please use a valid role: user, model.")
            if not content.get("parts") or not all(_is_part(part) for part in content["parts"]):
                _invalid(
                    f"* GenerateContentRequest.contents[{place}].parts: contents.parts must not be empty."
                )
        if contents[-1]["role"] != "user":
            _invalid("The last content must have the role user.")
        self._check_config(model, body.get("generationConfig", {}))

    def _check_config(self, model: str, config: dict[str, Any]) -> None:
        for name in config:
            _check_known(name, CONFIG, " at 'generation_config'")
        if not 0 <= config.get("temperature", 1) <= 2:
            _invalid("* GenerateContentRequest.generation_config.temperature: must be in [0.0, 2.0]")
        if config.get("maxOutputTokens", 1) < 1:
            _invalid("max_output_tokens must be positive.")
        if not 0 <= config.get("topP", 1) <= 1:
            _invalid("* GenerateContentRequest.generation_config.top_p: must be in [0.0, 1.0]")
        if not 1 <= len(config.get("stopSequences", ["."])) <= 5:
            _invalid("* GenerateContentRequest.generation_config.stop_sequences: at most 5 are supported")
        if not isinstance(config.get("seed", 0), int):
            _invalid("Invalid value at 'generation_config.seed' (TYPE_INT32)")
        self._check_schema(config)
        thinking = config.get("thinkingConfig", {})
        for name in thinking:
            _check_known(name, THINKING, " at 'generation_config.thinking_config'")
        if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
            _invalid("You can only set only one of thinking budget and thinking level.")
        level = thinking.get("thinkingLevel")
        if level is None:
            return
        if level not in ("MINIMAL", "LOW", "MEDIUM", "HIGH"):
            _invalid(f"Invalid value at 'generation_config.thinking_config.thinking_level', \"{level}\"")
        if model.startswith("gemini-2") or (level == "MINIMAL" and NO_MINIMAL.fullmatch(model)):
            _invalid("Thinking level is not supported for this model.")

    def _check_schema(self, config: dict[str, Any]) -> None:
        given = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
        if len(given) > 1:
            _invalid("Only one of response_schema and response_json_schema may be set.")
        if given and config.get("responseMimeType") != "application/json":
            _invalid("response_mime_type must be application/json when a response schema is set.")
        if given and not isinstance(config[given[0]], dict):
            _invalid("Invalid value at 'generation_config.response_json_schema'")

    def _events(self, model: str, behaviour: Behaviour) -> list[Event]:
        def event(kind: Any, parts: list[Any], finish: str | None = None) -> Event:
            data = sse(self._response(model, parts, behaviour, finish=finish))
            return Event(kind, data.replace(b"\n", b"\r\n") if not behaviour.crlf else data)

        said = [] if behaviour.instead == "only_done" else words(behaviour.text)
        return [
            *(event("delta", [{"text": word, "thought": True}]) for word in words(behaviour.reasoning)),
            *(event("delta", [{"text": word}]) for word in said),
            event("end", [{"text": "", "thoughtSignature": "SIG="}], _finish(behaviour)),
        ]

    def _response(
        self, model: str, parts: list[Any], behaviour: Behaviour, *, finish: str | None
    ) -> dict[str, Any]:
        thought, said = len(words(behaviour.reasoning)), len(words(behaviour.text))
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        usage = {
            "promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": said,
            "thoughtsTokenCount": thought, "totalTokenCount": 9 + said + thought,
        }  # fmt: skip
        return {
            "candidates": [candidate | ({"finishReason": finish} if finish else {})],
            **({"usageMetadata": usage} if behaviour.usage and finish else {}),
            "modelVersion": model,
            "responseId": "resp-1",
        }

    def _listed(self) -> Any:
        methods = ["generateContent", "countTokens"]
        rows = [
            {
                "name": f"models/{id}", "version": "001", "displayName": id, "inputTokenLimit": 1048576,
                "outputTokenLimit": 65536, "supportedGenerationMethods": methods, "thinking": True,
            }
            for id in self.models
        ]  # fmt: skip
        other = {
            "name": "models/embedding-001",
            "displayName": "Embedding",
            "supportedGenerationMethods": ["embedContent"],
        }
        return {"models": [*rows, other]}


_QUOTA = (
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [
            {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "10"}
        ],
    },
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"},
)


def _finish(behaviour: Behaviour) -> str:
    return {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}[behaviour.finish]


def _is_part(part: Any) -> bool:
    match part:
        case {"text": str()}:
            return True
        case {"inlineData": {"mimeType": str() as kind, "data": str()}}:
            return kind.startswith("image/")
    return False


def _check_known(name: str, known: frozenset[str], where: str) -> None:
    if name not in known:
        _invalid(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')


def _error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {
        "error": {
            "code": code,
            "message": message,
            "status": status,
            **({"details": details} if details else {}),
        }
    }


def _refuse(code: int, status: str, message: str) -> NoReturn:
    raise Refused(code, _error(code, status, message))


def _invalid(message: str) -> NoReturn:
    _refuse(400, "INVALID_ARGUMENT", message)
