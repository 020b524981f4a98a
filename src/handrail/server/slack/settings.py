"""What the environment says about the Slack app."""

from __future__ import annotations

from dataclasses import dataclass, field

from handrail.channels.settings import SLACK_API, setting
from handrail.words.errors import BadArguments


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """``secret`` is for calls of Slack over HTTP, ``app_token`` for socket mode; either will do."""

    token: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    app_token: str | None = field(default=None, repr=False)
    url: str = SLACK_API
    match_email: bool = True
    """Whether a member whose address in the workspace is confirmed is the person with this address."""


def slack_settings() -> SlackSettings | None:
    """The settings; None where Slack is not set up.

    Raises:
        BadArguments: a file that a name points to can't be read, or nothing is set by which clicks come here.
    """
    token = setting("HANDRAIL_SLACK_BOT_TOKEN")
    if token is None:
        return None
    secret, app_token = setting("HANDRAIL_SLACK_SIGNING_SECRET"), setting("HANDRAIL_SLACK_APP_TOKEN")
    if secret is None and app_token is None:
        raise BadArguments(
            "HANDRAIL_SLACK_BOT_TOKEN is set, and no click on a message would reach this server: set "
            "HANDRAIL_SLACK_SIGNING_SECRET (Slack calls over HTTP) or HANDRAIL_SLACK_APP_TOKEN (socket mode)"
        )
    return SlackSettings(
        token,
        secret=secret,
        app_token=app_token,
        url=setting("HANDRAIL_SLACK_API_URL") or SLACK_API,
        match_email=(setting("HANDRAIL_SLACK_MATCH_EMAIL") or "1") not in {"0", "false", "no"},
    )
