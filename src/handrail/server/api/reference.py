"""The reference of the API, made of its document and the role table; `docs/reference/api.md` is its text."""

from __future__ import annotations

from typing import Any

from handrail.server.roles import EVERY_ROLE, ROLES

HEAD = """# The API

Everything that a server does for programs and people goes through `/api/v1`. `GET /openapi.json` of a \
running server is the whole document (OpenAPI 3.1): every shape, with examples. This page is made of it, \
and a test holds it equal: `python -m handrail.server.api > docs/reference/api.md` writes it anew.

## In general

**Who asks.** A program sends its key, `Authorization: Bearer hr_a_…` (an agent's) or `hr_s_…` (a \
service's). A person is signed in: `POST /api/v1/sign-in` gives a cookie. Whatever changes something \
with that cookie must also say where it comes from, so that no other web site can send it; browsers do, \
and a program sends `Origin` with the server's own address. A key that does not work is \
refused, never treated as nobody. A program's key never answers questions, promotes, lifts a halt or \
changes the policy, and an agent's key sees no other agent's actions: they are not found.

```sh
at=https://handrail.example.com
curl -c cookies --json '{"person": "ann@example.com", "password": "…"}' $at/api/v1/sign-in
curl -b cookies -H "Origin: $at" --json '{"reason": "strange refunds"}' $at/api/v1/halts
```

**Roles.** `anonymous`, `agent`, `service`, and people: `viewer`, `reviewer`, `admin`, each of which may \
do what the one before it may. What follows says for each route who may use it; the server refuses by \
the same table.

**JSON.** Numbers are exact: `0.1` is a tenth, not the nearest binary number. Times are RFC 3339 in UTC, \
money and confidence are decimal texts, ids are texts. An unknown field is a mistake.

**Lists** give `{"items": […], "next": …}`: pass `next` as `?cursor=` for the following page, `null` \
ends.

**Refusals** are problem details (RFC 9457), `application/problem+json`: `title`, `status`, `detail` in \
a sentence, and perhaps `errors` with places. 401: nobody. 403: not for this role, or refused with a \
reason. 404: there is none, or not for you. 409: somebody was faster, nothing was done. 422: not what \
was expected. 429: wait. 503: the store, or the active policy, can't be used now; look whether it \
happened before you try again.

**Sending again.** An outcome may be reported again: the same report is answered alike. A proposal with \
an `id` of the caller's own (28 hexadecimal digits that begin with the milliseconds since the epoch) may \
be sent again when no answer came; a `key` says that two calls are the same piece of work.

**Live.** `GET /api/v1/stream` tells the journal as server-sent events. After a break, `Last-Event-ID` \
goes on without loss or repeat. `GET /api/v1/actions/{action_id}?wait=60` answers once the action is no \
longer held.
"""
TABLE = "\n## Who may do what\n\n| route | {} |\n|---|{}\n"
YES = "yes"


def reference(document: dict[str, Any]) -> str:
    """The page."""
    found = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = dict.fromkeys(tag for _, operation in found for tag in operation["tags"])
    parts = [HEAD, _table()]
    for tag in tags:
        parts.append(f"\n## {tag[:1].upper()}{tag[1:]}\n")
        parts += [_route(route, operation) for route, operation in found if operation["tags"] == [tag]]
    return "".join(parts)


def _table() -> str:
    rows = (
        f"| `{route}` | {' | '.join(YES if role in roles else '' for role in EVERY_ROLE)} |\n"
        for route, roles in ROLES.items()
    )
    return TABLE.format(" | ".join(EVERY_ROLE), "---|" * len(EVERY_ROLE)) + "".join(rows)


def _route(route: str, operation: dict[str, Any]) -> str:
    lines = [f"\n### `{route}`\n", f"{operation['summary']}. {_more(operation)}".strip()]
    lines += ["", f"For: {', '.join(role for role in EVERY_ROLE if role in ROLES[route])}."]
    queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    if queries:
        lines[-1] += f" Query: {', '.join(f'`{name}`' for name in queries)}."
    takes, gives = _shape(operation.get("requestBody")), _gives(operation["responses"])
    lines[-1] += f" Takes `{takes}`." if takes else ""
    lines[-1] += f" Gives {gives}."
    return "\n".join(lines) + "\n"


def _more(operation: dict[str, Any]) -> str:
    said, summary = operation.get("description", ""), operation["summary"]
    return "" if said.rstrip(".") == summary else said


def _gives(responses: dict[str, Any]) -> str:
    code = next(code for code in responses if code.startswith("2"))
    if "text/event-stream" in responses[code].get("content", {}):
        return "server-sent events"
    shape = _shape(responses[code])
    return f"{code} `{shape}`" if shape else code


def _shape(part: dict[str, Any] | None) -> str | None:
    schema = (part or {}).get("content", {}).get("application/json", {}).get("schema", {})
    name: str = schema.get("$ref", "").rpartition("/")[2]
    return name or None
