"""Every dialect keeps the contract, and every flavour of the widest one."""

from __future__ import annotations

from typing import ClassVar

from tests.engine.dialect_contract import DialectContract
from tests.providers import Anthropic, Behaviour, Gemini, Loopback, OpenAI, Responses
from tests.providers.openai import Flavour
from vibedesk.engine.types import DialectName

QUOTA = {
    "error": {
        "message": "You exceeded your current quota.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
}


class TestOpenAIChat(DialectContract):
    dialect: ClassVar[DialectName] = "openai-chat"
    flavour: ClassVar[Flavour] = "groq"
    model: ClassVar[str] = "openai/gpt-oss-120b"
    sees: ClassVar[str] = "qwen/qwen3.8-27b"
    no_credit: ClassVar[tuple[int, dict[str, object]]] = (429, QUOTA)

    def server(self, behaviour: Behaviour | None = None) -> Loopback:
        return OpenAI(behaviour, flavour=self.flavour)


class TestCerebras(TestOpenAIChat):
    flavour = "cerebras"
    model = "gpt-oss-120b"
    sees = "qwen-3.8-27b"
    no_credit = (
        402,
        {
            "message": "Payment required",
            "type": "payment_required",
            "param": None,
            "code": "payment_required",
        },
    )


class TestTogether(TestOpenAIChat):
    flavour = "together"
    sees = "deepseek-ai/DeepSeek-V4.1-Flash"
    no_credit = (
        402,
        {"error": {"message": "Credit limit exceeded", "type": "credit_limit", "param": None, "code": None}},
    )


class TestOpenAIResponses(DialectContract):
    dialect: ClassVar[DialectName] = "openai-responses"
    model: ClassVar[str] = "gpt-4.1-mini"
    sees: ClassVar[str] = "gpt-4.1-mini"
    no_credit: ClassVar[tuple[int, dict[str, object]]] = (429, QUOTA)

    def server(self, behaviour: Behaviour | None = None) -> Loopback:
        return Responses(behaviour)


class TestAnthropic(DialectContract):
    dialect: ClassVar[DialectName] = "anthropic"
    model: ClassVar[str] = "claude-haiku-4-5"
    sees: ClassVar[str] = "claude-sonnet-5-5"
    no_credit: ClassVar[tuple[int, dict[str, object]]] = (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API.",
            },
        },
    )

    def server(self, behaviour: Behaviour | None = None) -> Loopback:
        return Anthropic(behaviour)

    def refused_temperature(self) -> dict[str, object]:
        return {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "`temperature` is deprecated for this model.",
            },
        }


class TestGemini(DialectContract):
    dialect: ClassVar[DialectName] = "gemini"
    model: ClassVar[str] = "gemini-2.5-flash"
    sees: ClassVar[str] = "gemini-3.8-flash"
    no_credit: ClassVar[tuple[int, dict[str, object]]] = (
        429,
        {
            "error": {
                "code": 429,
                "message": "Quota exceeded for metric: free_tier_requests, limit: 0",
                "status": "RESOURCE_EXHAUSTED",
            }
        },
    )

    def server(self, behaviour: Behaviour | None = None) -> Loopback:
        return Gemini(behaviour)

    def refused_temperature(self) -> dict[str, object]:
        return {
            "error": {
                "code": 400,
                "message": "Unsupported parameter: 'temperature'",
                "status": "INVALID_ARGUMENT",
            }
        }
