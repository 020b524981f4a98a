"""What the environment says about upstreams. Each name may be given as NAME_FILE: a file with the value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from handrail.meters.bounds import WITHOUT
from handrail.words.errors import BadArguments

PREFIX = "HANDRAIL_UPSTREAM_"
OURS = "HANDRAIL_LLM_"
FILE = "_FILE"
ENDS = ("_URL", "_KEY", "_API", "_PRICES")
APIS = ("openai", "anthropic", "gemini")
KNOWN = {
    "openai": ("https://api.openai.com/v1", "openai", "openai"),
    "anthropic": ("https://api.anthropic.com", "anthropic", "anthropic"),
    "gemini": ("https://generativelanguage.googleapis.com", "gemini", "google"),
}
"""Upstreams whose address, API and price list are known by their name."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upstream:
    """Who serves models, at an address that only the settings name."""

    name: str
    """As policies and the paths of the gateway call it."""
    url: str
    """What the paths of its API are put behind: with its version for ``openai``, without for the others."""
    api: str
    key: str | None = field(default=None, repr=False)
    prices: str | None = None
    """Its name in the price list; None where only the policy prices its models."""

    @property
    def limit_field(self) -> str | None:
        """What a chat's limit is called here, where that is not OpenAI's own newest name."""
        return "max_tokens" if self.api == "openai" and self.name != "openai" else None


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """The upstreams, and what holds for all of them."""

    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    body_limit: int = 32 * MIB
    """Bytes of a request's body at most: pictures travel in it."""
    max_tokens: int = WITHOUT
    """Tokens that an answer may have whose request names no limit."""
    silence: float = 600.0
    """Seconds without a byte from an upstream after which it is given up."""


def from_environment(given: Mapping[str, str] | None = None) -> LlmSettings:
    """Read the settings of the gateway.

    Raises:
        BadArguments: one is not what its name means, or a file that it names can't be read.
    """
    environment = os.environ if given is None else given
    found = {name: _upstream(environment, name) for name in sorted(_names(environment))}
    return LlmSettings(
        found,
        _number(environment, "BODY_LIMIT", 32 * MIB, 1024),
        _number(environment, "MAX_TOKENS", WITHOUT, 16),
        float(_number(environment, "SILENCE", 600, 1)),
    )


def _names(environment: Mapping[str, str]) -> set[str]:
    found = set()
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or not value:
            continue
        spelled = variable.removeprefix(PREFIX).removesuffix(FILE)
        end = next((end for end in ENDS if spelled.endswith(end)), None)
        if end is None:
            raise BadArguments(
                f"{variable} is no setting; expected {PREFIX}NAME with one of {', '.join(ENDS)}"
            )
        name = spelled.removesuffix(end).lower()
        if NAME.fullmatch(name) is None:
            raise BadArguments(f"{variable} names no upstream: letters, digits and _ are expected")
        found.add(name)
    return found


def _upstream(environment: Mapping[str, str], name: str) -> Upstream:
    url, api, prices = KNOWN.get(name, (None, "openai", None))
    base = f"{PREFIX}{name.upper()}"
    address = _value(environment, f"{base}_URL") or url
    if address is None:
        raise BadArguments(f"the upstream {name} has no address: set {base}_URL")
    kind = _value(environment, f"{base}_API") or api
    if kind not in APIS:
        raise BadArguments(f"{base}_API is {kind!r}; expected one of {', '.join(APIS)}")
    listed = _value(environment, f"{base}_PRICES") or prices
    return Upstream(name, _address(f"{base}_URL", address), kind, _key(environment, f"{base}_KEY"), listed)


def _address(name: str, value: str) -> str:
    parts = urlsplit(value)
    more = parts.username is not None or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or more:
        raise BadArguments(f"{name} is not an address such as https://api.example.com/v1")
    return value.rstrip("/")


def _key(environment: Mapping[str, str], name: str) -> str | None:
    key = _value(environment, name)
    if key is not None and (not key.isascii() or not key.isprintable() or " " in key):
        raise BadArguments(f"{name} holds something that no key has: a space, a line break or such")
    return key


def _number(environment: Mapping[str, str], name: str, usual: int, least: int) -> int:
    given = environment.get(OURS + name)
    if not given:
        return usual
    if not given.isascii() or not given.isdigit() or int(given[:15]) < least:
        raise BadArguments(f"{OURS}{name} is {given!r}; expected a whole number of at least {least}")
    return int(given[:15])


def _value(environment: Mapping[str, str], name: str) -> str | None:
    path = environment.get(name + FILE)
    if environment.get(name) or path is None:
        return environment.get(name) or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise BadArguments(f"{name}{FILE} names {path}, which can't be read: {error}") from error
