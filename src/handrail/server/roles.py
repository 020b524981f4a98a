"""Who may use which route: one table, held against the API's document and tried by tests, role by role."""

from __future__ import annotations

ANONYMOUS, AGENT, SERVICE = "anonymous", "agent", "service"
VIEWER, REVIEWER, ADMIN = "viewer", "reviewer", "admin"
EVERY_ROLE = (ANONYMOUS, AGENT, SERVICE, VIEWER, REVIEWER, ADMIN)
"""Every role, the programs' first; of the people's, each includes the one before it."""

_viewers = frozenset({VIEWER, REVIEWER, ADMIN})
_reviewers = frozenset({REVIEWER, ADMIN})
_admins = frozenset({ADMIN})
_agents = frozenset({AGENT})
_programs = frozenset({AGENT, SERVICE})
_anyone = frozenset(EVERY_ROLE)

_V1: dict[str, frozenset[str]] = {
    "POST /tools": _agents,
    "GET /tools": _viewers,
    "POST /tools/{tool}/accept": _admins,
    "POST /sessions": _programs,
    "GET /sessions": _viewers,
    "GET /sessions/{session_id}": _viewers | _programs,
    "POST /sessions/{session_id}/end": _programs | _reviewers,
    "POST /sessions/{session_id}/hold": _reviewers,
    "POST /sessions/{session_id}/release": _reviewers,
    "POST /actions": _agents,
    "GET /actions": _viewers | _agents,
    "GET /actions/{action_id}": _viewers | _agents,
    "GET /actions/{action_id}/payload": _reviewers | _agents,
    "POST /actions/{action_id}/start": _agents,
    "POST /actions/{action_id}/beat": _agents,
    "POST /actions/{action_id}/outcome": _agents,
    "POST /actions/{action_id}/cancel": _reviewers | _agents,
    "POST /actions/{action_id}/settle": _reviewers,
    "GET /approvals": _viewers,
    "POST /approvals/votes": _reviewers,
    "GET /approvals/{approval_id}": _viewers,
    "POST /approvals/{approval_id}/vote": _reviewers,
    "POST /approvals/{approval_id}/edit": _reviewers,
    "POST /approvals/{approval_id}/answer": _reviewers,
    "GET /standing-approvals": _viewers,
    "POST /standing-approvals": _reviewers,
    "POST /standing-approvals/{standing_id}/revoke": _reviewers,
    "GET /grants": _viewers,
    "PUT /grants/{agent}/{tool}": _admins,
    "GET /halts": _viewers,
    "POST /halts": _reviewers,
    "POST /halts/{halt_id}/lift": _admins,
    "GET /budgets": _viewers,
    "GET /budgets/raises": _viewers,
    "POST /budgets/{budget}/top-up": _reviewers,
    "POST /budgets/{budget}/raise": _admins,
    "POST /budgets/raises/{raise_id}/end": _reviewers,
    "POST /budgets/{budget}/freeze": _reviewers,
    "POST /budgets/{budget}/thaw": _admins,
    "GET /costs": _viewers,
    "GET /entries": _viewers,
    "GET /stream": _viewers,
    "GET /policy": _viewers,
    "GET /policy/versions": _viewers,
    "GET /policy/versions/{digest}": _viewers,
    "POST /policy/check": _viewers,
    "POST /policy/activate": _admins,
    "GET /people": _viewers,
    "POST /people": _admins,
    "PATCH /people/{person}": _admins,
    "POST /people/{person}/reset": _admins,
    "GET /me": _viewers,
    "POST /me/slack-code": _viewers,
    "DELETE /me/slack": _viewers,
    "PATCH /me": _viewers,
    "POST /me/password": _viewers,
    "POST /me/totp": _viewers,
    "POST /me/totp/confirm": _viewers,
    "DELETE /me/totp": _viewers,
    "GET /me/sign-ins": _viewers,
    "POST /me/sign-ins/{sign_in_id}/end": _viewers,
    "POST /sign-in": _anyone,
    "POST /sign-out": _viewers,
    "GET /keys": _admins,
    "POST /keys": _admins,
    "POST /keys/{key_id}/rotate": _admins,
    "POST /keys/{key_id}/revoke": _admins,
    "POST /manual-actions": _admins,
    "GET /agents/{agent}": _viewers | _agents,
    "GET /deliveries": _viewers,
    "POST /deliveries/test": _admins,
    "GET /model-calls": _viewers,
    "GET /model-calls/{call_id}": _viewers,
    "GET /model-calls/{call_id}/prompt": _reviewers,
}

ROLES: dict[str, frozenset[str]] = {
    "GET /health": _anyone,
    "GET /ready": _anyone,
    **{route.replace(" ", " /api/v1", 1): roles for route, roles in _V1.items()},
}
"""For each route, as ``METHOD /path``, the roles that may use it; a route without a row is open to nobody."""


def may(role: str, route: str) -> bool:
    """Whether this role may use a route."""
    return role in ROLES.get(route, frozenset())
