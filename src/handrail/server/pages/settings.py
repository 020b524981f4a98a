"""Settings: the ways to people and whether they work, what this server runs on, and how people sign in."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.channels.settings import from_environment
from handrail.engine.deliveries.planning import try_channel
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh, tried
from handrail.server.pages.told import DELIVERIES
from handrail.words.delivery import DeliveryKind, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.server.state import ServerState
    from handrail.words.delivery import Delivery

router = APIRouter(include_in_schema=False, prefix="/settings")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]
MOST = 50
"""Deliveries of a kind that are looked at."""


@router.get("")
def shown(request: Request, caller: Viewer) -> Response:
    """What is set up, and what could not be told. No secret is on it."""
    state = state_of(request)
    state.engine.refresh()
    failed, latest = state.store.read(_deliveries)
    return fresh(
        request,
        "settings.html",
        channels=_channels(state.engine.policy.policy),
        sends=state.engine.deliverer is not None,
        failed=failed,
        deliveries=DELIVERIES,
        latest=latest,
        under_way=any(each.state != DeliveryState.SENT and not each.error for each in latest.values()),
        facts=_facts(state),
        issuer=state.settings.oidc_issuer,
        manages=caller.role == "admin",
    )


@router.post("/test")
def test(request: Request, caller: Admin, channel: Text) -> Response:
    """Send a test through a channel."""
    del caller

    def act() -> str:
        made = try_channel(state_of(request).engine, channel.strip())
        return f"A test is on its way through {made.channel}. What becomes of it stands below."

    return tried(request, "/settings", act)


def _deliveries(tx: Transaction) -> tuple[list[Delivery], Mapping[str, Delivery]]:
    """What could not be sent, and the newest test of each channel."""
    failed = tx.deliveries.listing(DeliveryState.GAVE_UP, MOST)
    late = [each for each in tx.deliveries.listing(DeliveryState.DUE, MOST) if each.error]
    tests = [each for each in tx.deliveries.listing(None, MOST) if each.kind is DeliveryKind.TEST]
    return [*late, *failed], {each.channel: each for each in reversed(tests)}


def _channels(policy: Policy) -> dict[str, list[str]]:
    """Each channel that the policy names with its groups, and each that only this server has."""
    found: dict[str, list[str]] = {}
    for name, group in policy.approvers.items():
        for channel in group.via:
            found.setdefault(channel, []).append(name)
    for name in from_environment().notify:
        found.setdefault(f"notify:{name}", [])
    return found


def _facts(state: ServerState) -> dict[str, str]:
    """What this server runs on, in words."""
    given = state.settings.database_url
    url = given.get_secret_value() if given else ""
    database = "PostgreSQL" if url.startswith("postgres") else "SQLite"
    return {
        "Address": state.settings.address(),
        "Database": "memory: nothing is kept" if url.startswith("memory") else database,
        "Handrail": version("handrail"),
        "Python": platform.python_version(),
        "Policy": state.engine.policy.digest[:12],
        "Tools of this server": ", ".join(
            each.name for each in tuple(state.engine.tools.values()) if not each.elsewhere
        )
        or "none",
    }
