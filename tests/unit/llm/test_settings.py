"""Upstreams come from the environment and from nowhere else, and mistakes in it are told before the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.llm.settings import LlmSettings, from_environment
from handrail.words.errors import BadArguments


def test_known_upstreams_need_only_a_key() -> None:
    names = ("OPENAI", "ANTHROPIC", "GEMINI")
    found = from_environment({f"HANDRAIL_UPSTREAM_{name}_KEY": "k" for name in names}).upstreams
    assert {name: (each.url, each.api, each.prices) for name, each in found.items()} == {
        "openai": ("https://api.openai.com/v1", "openai", "openai"),
        "anthropic": ("https://api.anthropic.com", "anthropic", "anthropic"),
        "gemini": ("https://generativelanguage.googleapis.com", "gemini", "google"),
    }
    assert found["openai"].limit_field is None


def test_others_need_an_address_and_take_what_they_are_told() -> None:
    base = "HANDRAIL_UPSTREAM_OPEN_ROUTER"
    given = {f"{base}_URL": "https://openrouter.ai/api/v1/", f"{base}_PRICES": "openrouter"}
    found = from_environment(given).upstreams["open_router"]
    assert (found.url, found.api, found.key) == ("https://openrouter.ai/api/v1", "openai", None)
    assert (found.prices, found.limit_field) == ("openrouter", "max_tokens")


def test_a_key_may_stand_in_a_file_and_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-secret\n", "utf-8")
    found = from_environment({"HANDRAIL_UPSTREAM_OPENAI_KEY_FILE": str(path)})
    assert found.upstreams["openai"].key == "sk-secret"
    assert "sk-secret" not in repr(found)


def test_nothing_is_set_up_where_nothing_is_said() -> None:
    assert from_environment({"OPENAI_API_KEY": "sk", "HANDRAIL_URL": "https://x.example"}) == LlmSettings()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"UPSTREAM_LOCAL_KEY": "k"}, "has no address"),
        ({"UPSTREAM_LOCAL_URL": "local:8000"}, "is not an address"),
        ({"UPSTREAM_LOCAL_URL": "file:///etc/passwd"}, "is not an address"),
        ({"UPSTREAM_LOCAL_URL": "http://user:pw@x/v1"}, "is not an address"),
        ({"UPSTREAM_LOCAL_URL": "http://x/v1?a=b"}, "is not an address"),
        ({"UPSTREAM_OPENAI_SECRET": "k"}, "is no setting"),
        ({"UPSTREAM__KEY": "k"}, "names no upstream"),
        ({"UPSTREAM_OPENAI_KEY": "two words"}, "no key has"),
        ({"UPSTREAM_OPENAI_KEY": "k\r\nhost: x"}, "no key has"),
        ({"UPSTREAM_OPENAI_KEY_FILE": "/there/is/none"}, "can't be read"),
        ({"UPSTREAM_OPENAI_API": "grpc", "UPSTREAM_OPENAI_KEY": "k"}, "expected one of"),
        ({"LLM_BODY_LIMIT": "12"}, "at least 1024"),
        ({"LLM_MAX_TOKENS": "-5"}, "at least 16"),
        ({"LLM_SILENCE": "soon"}, "whole number"),
    ],
)
def test_a_mistake_is_told(given: dict[str, str], why: str) -> None:
    with pytest.raises(BadArguments, match=why):
        from_environment({f"HANDRAIL_{name}": value for name, value in given.items()})
