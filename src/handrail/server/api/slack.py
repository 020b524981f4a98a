"""Whose member of Slack one is: a code to say there once, and taking it back."""

from __future__ import annotations

import secrets

from fastapi import Request, Response
from msgspec import Struct

from handrail.engine.identity.slack_links import keep_slack_code, unlink_slack
from handrail.server.api.route import Who, answer, engine_of, route, routes
from handrail.server.api.shapes import Moment, moment

router = routes("me")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No letter that reads as another."""
GROUPS, LENGTH = 3, 4


class SlackCode(Struct):
    """A code that works once, until then, and what to say in Slack."""

    code: str
    command: str
    expires_at: Moment


@route(router, "POST /me/slack-code", gives=SlackCode, status=201)
def new_slack_code(request: Request, caller: Who) -> Response:
    """Get a code with which a member of Slack becomes you, within ten minutes."""
    code = "-".join("".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(GROUPS))
    until = keep_slack_code(engine_of(request), caller.human().id, code)
    return answer(SlackCode(code, f"/handrail link {code}", moment(until)), 201)


@route(router, "DELETE /me/slack", gives=None, status=204)
def forget_slack(request: Request, caller: Who) -> Response:
    """Let no member of Slack be you any more."""
    unlink_slack(engine_of(request), caller.human().id)
    return Response(status_code=204)
