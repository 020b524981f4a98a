"""Journal entries in one line each, and as JSON: the same words in terminal and browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.journal.export import rfc3339
from handrail.words.entry import Entry, Kind
from handrail.words.level import Rung

if TYPE_CHECKING:
    from handrail.words.entry import StoredEntry

Body = Mapping[str, Any]
LONGEST = 120
"""Characters of arguments or output in one line."""


def entry_json(stored: StoredEntry) -> dict[str, object]:
    """An entry for programs; its body is what was sealed."""
    entry = stored.entry
    return {
        "seq": stored.seq,
        "at": rfc3339(entry.at),
        "kind": entry.kind,
        "action": entry.action,
        "agent": entry.agent,
        "tool": entry.tool,
        "session": entry.session,
        "task": entry.task,
        "body": msgspec.Raw(entry.body),
    }


def summary(entry: Entry) -> str:
    """What an entry tells, in a few words for people who do not program."""
    return TOLD[entry.kind](msgspec.json.decode(entry.body))


def _proposed(body: Body) -> str:
    by_hand = f"{body['person']} by hand: " if "person" in body else ""
    return by_hand + (body.get("refusal") or _cut(body.get("input", {})))


def _decided(body: Body) -> str:
    found = [reason for _, outcome, _, reason, _ in body["steps"] if outcome != "pass"]
    reasons = "; ".join([each.removesuffix(".") for each in found[:-1]] + found[-1:])
    is_so, would_be = _DECISIONS.get(body["decision"], (body["decision"],) * 2)
    decision = is_so if body["decision"] == body["enforced"] else f"on trial, it would {would_be}"
    return f"{decision}: {reasons}" if reasons else str(decision)


def _asked(body: Body) -> str:
    return "asks " + ", ".join(sorted({audience for _, audience in body["asks"]}))


def _voted(body: Body) -> str:
    return f"{body['person']}: {body['choice']}" + _because(body)


def _escalated(body: Body) -> str:
    return f"{body['from']} did not answer, {body['to']} is asked"


def _done(body: Body) -> str:
    return f"{body.get('execution_time_ms')} ms: {_cut(body.get('output'))}"


def _failed(body: Body) -> str:
    return f"{body.get('error')}" + (" (nothing was done)" if body.get("nothing_done") else "")


def _settled(body: Body) -> str:
    return f"{body['person']}: {body['state']}" + _because(body)


def _halted(body: Body) -> str:
    scope = " ".join(f"{name} {body[name]}" for name in ("agent", "tool") if body.get(name)) or "everything"
    return f"{scope}, by {body['person']}" + _because(body)


def _lifted(body: Body) -> str:
    return f"the stop {body['halt'][-8:]} ended, by {body['person']}" + _because(body)


def _moved(body: Body) -> str:
    before, after = (Rung.of(body[each]).plain for each in ("from", "to"))
    return f"from {before} to {after}, by {body['person']}" + _because(body)


def _activated(body: Body) -> str:
    return f"version {body['policy'][:12]}, by {body['person']}" + _because(body)


def _edited(body: Body) -> str:
    return f"{body['person']}: now action {body['superseded_by'][-8:]}" + _because(body)


def _answered(body: Body) -> str:
    return f"{body['person']}: {body['text']}"


def _standing_made(body: Body) -> str:
    return f"{body['person']}: the next {body['actions']:,}" + _because(body)


def _standing(body: Body) -> str:
    return f"standing approval {body['standing'][-8:]} of {body['person']}"


def _reasoned(body: Body) -> str:
    return f"{body['reason']} ({body['person']})"


def _called(body: Body) -> str:
    tokens = {name: body.get("usage", {}).get(name, 0) for name in ("input", "output")}
    used = ", ".join(f"{much:,} {name}" for name, much in tokens.items() if much)
    why = f": {body['error']}" if body.get("error") else ""
    took = f" in {body['milliseconds']:,} ms" if "milliseconds" in body else ""
    return f"{body['model']}{took}" + (f", {used} tokens" if used else "") + why


def _refused(body: Body) -> str:
    more = f" (and {body['before']:,} times before)" if body.get("before") else ""
    return f"{body['model']}: {body['reason']}{more}"


def _alerted(body: Body) -> str:
    return f"{body['percent']}% of {body['budget']}"


def _overrun(body: Body) -> str:
    return f"more was spent of {body['budget']} than was set aside"


def _budgeted(body: Body) -> str:
    return f"{body['budget']}, by {body['person']}{_because(body)}"


def _reason(body: Body) -> str:
    return body.get("reason") or "no reason was given"


def _intended(body: Body) -> str:
    again = f", attempt {body['attempt']}" if body.get("attempt", 1) > 1 else ""
    return f"in the process {body.get('owner')}{again}"


def _lost(body: Body) -> str:
    return f"the process {body.get('owner')} fell silent: nobody knows whether it took effect"


def _opened(body: Body) -> str:
    by, behalf, inside = (body.get(each) for each in ("by", "behalf", "inside"))
    told = [f"by {by}" if by else "with what it asked for first"]
    told += [f"for {behalf}"] if behalf else []
    return ", ".join(told + ([f"inside session {inside[-8:]}"] if inside else []))


def _invited(body: Body) -> str:
    return f"{body['person']} as {body['role']}{_by(body)}"


def _changed(body: Body) -> str:
    what = (_CHANGES[name](value) for name, value in body.items() if name in _CHANGES)
    return f"{body['person']}: {', '.join(what)}{_by(body)}"


def _signed_in(body: Body) -> str:
    how, where = body.get("how") or "some way", body.get("address") or "an unknown address"
    return f"{body['person']}, by {how}, from {where}"


def _not_signed_in(body: Body) -> str:
    return f"{body.get('person') or 'somebody unknown'}, from {body.get('address') or 'an unknown address'}"


def _signed_out(body: Body) -> str:
    count = body.get("browsers", 1)
    return f"{body['person']}, in {count} browser{'' if count == 1 else 's'}{_by(body)}"


def _key_made(body: Body) -> str:
    again = ", in place of an older one" if body.get("replaces") else ""
    return f"{body['name']}, for {', '.join(body['agents'])}{again}{_by(body)}"


def _registered(body: Body) -> str:
    then = "accepted, for it is the first" if body.get("accepted") else "waits until a person accepts it"
    return f"{_version(body)}{_by(body)}: {then}"


def _version(body: Body) -> str:
    return f"{body['tool']}, version {body['binding'][:12]}"


def _erased(body: Body) -> str:
    whole = {
        "payloads": "exact arguments and output of {} action{}",
        "prompts": "{} prompt{} with the answer",
    }
    parts = (
        text.format(body[name], "" if body[name] == 1 else "s")
        for name, text in whole.items()
        if name in body
    )
    return ", ".join(parts) + ", whose time was over"


def _by(body: Body) -> str:
    """Who did it, where that is somebody else than it is about."""
    by = body.get("by")
    return f", by {by}" if by and by != body.get("person") else ""


def _because(body: Body) -> str:
    return f" ({body['reason']})" if body.get("reason") else ""


def _cut(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


_DECISIONS = {
    "allow": ("may run", "run"),
    "ask": ("asks a person", "ask a person"),
    "deny": ("denied", "be denied"),
    "shadow": ("only recorded", "be recorded"),
}
"""How each decision is told, and what it would be off trial."""
_CHANGES: dict[str, Callable[[Any], str]] = {
    "role": lambda role: f"now {role}",
    "active": lambda on: "account switched on" if on else "account switched off",
    "name": lambda name: f"now called {name}",
    "password": lambda _: "a new password",
    "second_factor": lambda on: "with a second factor" if on else "without a second factor",
    "away_until": lambda until: f"away until {rfc3339(until)[:10]}" if until else "back",
    "slack": lambda member: "known in Slack" if member else "not known in Slack any more",
    "oidc": lambda _: "known at the company's sign-on",
    "reset": lambda _: "a link for a new password was made",
}
"""How each change of an account is told."""
TOLD: dict[Kind, Callable[[Body], str]] = {
    Kind.PROPOSED: _proposed,
    Kind.DECIDED: _decided,
    Kind.REDECIDED: _decided,
    Kind.ASKED: _asked,
    Kind.VOTED: _voted,
    Kind.ESCALATED: _escalated,
    Kind.APPROVED: lambda _: "everybody who was asked agrees: it may run",
    Kind.REJECTED: _reason,
    Kind.EXPIRED: _reason,
    Kind.CANCELLED: _reason,
    Kind.RESUMED: _reason,
    Kind.EDITED: _edited,
    Kind.ANSWERED: _answered,
    Kind.STANDING_MADE: _standing_made,
    Kind.STANDING_USED: _standing,
    Kind.STANDING_REVOKED: lambda body: f"{body['standing'][-8:]}, by {body['person']}",
    Kind.INTENDED: _intended,
    Kind.DONE: _done,
    Kind.FAILED: _failed,
    Kind.UNKNOWN: _lost,
    Kind.SETTLED: _settled,
    Kind.SESSION_OPENED: _opened,
    Kind.SESSION_ENDED: lambda body: f"by {body['by']}",
    Kind.SESSION_HELD: _reasoned,
    Kind.SESSION_RELEASED: _reasoned,
    Kind.MODEL_ASKED: _called,
    Kind.MODEL_DONE: _called,
    Kind.MODEL_FAILED: _called,
    Kind.MODEL_PRESUMED: lambda body: f"{body['model']}: taken for spent at the most that it could cost",
    Kind.MODEL_REFUSED: _refused,
    Kind.HALTED: _halted,
    Kind.LIFTED: _lifted,
    Kind.BUDGET_ALERT: _alerted,
    Kind.BUDGET_OVERRUN: _overrun,
    Kind.BUDGET_RAISED: _budgeted,
    Kind.BUDGET_RAISE_ENDED: _budgeted,
    Kind.BUDGET_FROZEN: _budgeted,
    Kind.BUDGET_THAWED: _budgeted,
    Kind.PROMOTED: _moved,
    Kind.DEMOTED: _moved,
    Kind.POLICY_ACTIVATED: _activated,
    Kind.TOOL_REGISTERED: _registered,
    Kind.TOOL_ACCEPTED: lambda body: f"{_version(body)}, by {body['person']}",
    Kind.PERSON_INVITED: _invited,
    Kind.PERSON_CHANGED: _changed,
    Kind.SIGNED_IN: _signed_in,
    Kind.SIGN_IN_FAILED: _not_signed_in,
    Kind.SIGNED_OUT: _signed_out,
    Kind.KEY_MADE: _key_made,
    Kind.KEY_REVOKED: lambda body: f"{body['name']}{_by(body)}{_because(body)}",
    Kind.ERASED: _erased,
    Kind.RESTORED: lambda body: f"from {body['what']}, by {body['person']}",
}
"""How each kind is told."""
