"""What the environment says about channels. Each name may be given as NAME_FILE: a file with the value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handrail.words.errors import BadArguments

FILE = "_FILE"
NOTIFY = "HANDRAIL_NOTIFY_"
SLACK_API = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The ways to people that are set up, and the address under which they find a question."""

    url: str | None = None
    slack_token: str | None = field(default=None, repr=False)
    slack_url: str = SLACK_API
    notify: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Apprise URLs by the name that follows ``notify:`` in a policy, in lower case."""

    @property
    def any(self) -> bool:
        """Whether a single channel is set up."""
        return self.slack_token is not None or bool(self.notify)


def from_environment(given: Mapping[str, str] | None = None) -> ChannelSettings:
    """Read the settings of channels.

    Raises:
        BadArguments: a file that a name points to can't be read, or a value is given twice.
    """
    environment = os.environ if given is None else given
    names = {
        name.removesuffix(FILE) for name, value in environment.items() if name.startswith(NOTIFY) and value
    }
    notify = {spelt(name.removeprefix(NOTIFY)): _value(environment, name) or "" for name in sorted(names)}
    return ChannelSettings(
        url=(_value(environment, "HANDRAIL_URL") or "").rstrip("/") or None,
        slack_token=_value(environment, "HANDRAIL_SLACK_BOT_TOKEN"),
        slack_url=_value(environment, "HANDRAIL_SLACK_API_URL") or SLACK_API,
        notify={name: url for name, url in notify.items() if url},
    )


def setting(name: str) -> str | None:
    """One setting of the environment, or of the file that it names; None when it is not set.

    Raises:
        BadArguments: the file can't be read, or both are set.
    """
    return _value(os.environ, name)


def spelt(name: str) -> str:
    """A name as both a policy's ``notify:on-call`` and ``HANDRAIL_NOTIFY_ON_CALL`` spell it."""
    return name.lower().replace("-", "_")


def only_one(environment: Mapping[str, str], name: str) -> None:
    """Test that a value is given once.

    Raises:
        BadArguments: it is given, and so is a file that holds it: which one counts would be a guess.
    """
    if environment.get(name) and environment.get(name + FILE):
        raise BadArguments(f"{name} and {name}{FILE} are both set; leave one of them out")


def _value(environment: Mapping[str, str], name: str) -> str | None:
    only_one(environment, name)
    path = environment.get(name + FILE) or None
    if path is None:
        return environment.get(name) or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise BadArguments(f"{name}{FILE} names {path}, which can't be read: {error}") from error
