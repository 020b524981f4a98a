"""What the log tells of entries as they really are written: each says something, and nothing of Python."""

from __future__ import annotations

from handrail.engine import loops, restrict, sessions, toolbox
from handrail.engine.budgets import changes as budgets
from handrail.engine.identity import accounts, keys, sign_ins, slack_links
from handrail.engine.questions.edits import edit
from handrail.engine.questions.votes import answer
from handrail.journal.told import summary
from handrail.words.approval import Choice
from handrail.words.entry import Kind
from handrail.words.errors import HandrailError, Held
from handrail.words.level import Rung
from handrail.words.person import KeyKind, Role
from tests.support.rail import LEAD, Desk

ANN, BEA = "ann@example.com", "bea@example.com"
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "additionalProperties": False}


def actions(desk: Desk) -> None:
    """Actions of every kind of end."""

    @desk.rail.tool
    def refund(amount: int, reason: str) -> str:
        return f"{amount} for {reason}" if amount != 3 else str(amount / 0)

    held = []
    with desk.rail.session(agent="support", task="ticket 7"):
        for amount in (2, 3, 250, 251, 252, 253, 2_000):
            try:
                refund(amount=amount, reason="late")
            except Held as asked:
                held.append(asked.action_id)
            except (HandrailError, ZeroDivisionError):
                continue
    yes, no, told, other = held
    desk.vote(yes)
    desk.rail.resume(yes)
    desk.vote(no, choice=Choice.REJECT, reason="no")
    answer(desk.app.engine, desk.question(told).id, LEAD, "Ask for a photo.", verified=False)
    small = {"amount": 5, "reason": "late"}
    edit(desk.app.engine, desk.question(other).id, LEAD, small, "less", verified=False)


def steering(desk: Desk) -> None:
    """Stops, steps, budgets, sessions, tools and keys."""
    engine = desk.app.engine
    stop, _ = restrict.halt(engine, "odd", ANN, "support")
    restrict.lift(engine, stop, "well", ANN)
    restrict.set_rung(engine, "support", "note", Rung.SHADOW, "slowly", ANN)
    restrict.set_rung(engine, "support", "note", Rung.BOUNDED, "fine", ANN)
    budgets.top_up(engine, "few", 1, ANN, "one more")
    budgets.freeze(engine, "few", ANN, "odd")
    budgets.thaw(engine, "few", ANN, "well")
    outer = sessions.open_session(engine, "support", "key shop", behalf=BEA)
    inner = sessions.open_session(engine, "support", "key shop", inside=outer)
    loops.hold(engine, inner.id, "it loops", ANN)
    loops.release(engine, inner.id, "seen", ANN)
    sessions.end_session(engine, outer.id, ANN)
    toolbox.register(engine, "offer", SCHEMA, "support", "key shop")
    more = toolbox.register(engine, "offer", {**SCHEMA, "description": "more"}, "support", "key shop")
    toolbox.accept(engine, "offer", more.binding, ANN)
    key = keys.make_key(engine, KeyKind.AGENT, "shop", ["support"], "d1", ANN)
    keys.rotate_key(engine, key.id, "d2", 1_000, ANN)
    keys.revoke_key(engine, key.id, ANN)


def people(desk: Desk) -> None:
    """Everything that happens to an account."""
    engine = desk.app.engine
    accounts.invite(engine, ANN, "Ann", Role.ADMIN, "l1", LEAD)
    found = accounts.join(engine, BEA, "Bea", Role.VIEWER, "issuer subject")
    accounts.rename(engine, BEA, "Beatrix", BEA)
    accounts.set_role(engine, BEA, Role.REVIEWER, ANN)
    accounts.set_away(engine, BEA, 1_900_000_000_000, BEA)
    accounts.set_away(engine, BEA, None, BEA)
    accounts.reset_link(engine, BEA, "l2", ANN)
    accounts.change_password(engine, BEA, "hash", keep=None)
    accounts.set_totp(engine, BEA, "secret", 1, keep=None)
    slack_links.keep_slack_code(engine, BEA, "code")
    slack_links.link_slack(engine, "code", "T1 U1")
    slack_links.unlink_slack(engine, BEA)
    now = engine.store.read(lambda tx: tx.people.get(BEA)) or found
    opened = {"second_factor": False, "address": "::1", "browser": "x", "how": "password"}
    sign_ins.open_sign_in(engine, now, "s1", **opened)  # type: ignore[arg-type]
    sign_ins.end_sign_in(engine, BEA, None, BEA)
    sign_ins.count_failure(engine, ["x"], None, None)
    accounts.set_active(engine, BEA, active=False, by=ANN)


def test_every_entry_says_something_to_people(one_desk: Desk) -> None:
    for work in (actions, steering, people):
        work(one_desk)
    told = [(entry.kind, summary(entry)) for entry in one_desk.entries()]
    assert not [(kind, text) for kind, text in told if not text.strip()]
    assert not [(kind, text) for kind, text in told if "None" in text or "object at" in text]
    missing = set(Kind) - {kind for kind, _ in told}
    assert missing == LATER


LATER = {
    Kind.CANCELLED,
    Kind.ESCALATED,
    Kind.EXPIRED,
    Kind.RESUMED,
    Kind.STANDING_MADE,
    Kind.STANDING_USED,
    Kind.STANDING_REVOKED,
    Kind.UNKNOWN,
    Kind.SETTLED,
    Kind.BUDGET_ALERT,
    Kind.BUDGET_OVERRUN,
    Kind.BUDGET_RAISE_ENDED,
    Kind.MODEL_ASKED,
    Kind.MODEL_DONE,
    Kind.MODEL_FAILED,
    Kind.MODEL_PRESUMED,
    Kind.MODEL_REFUSED,
    Kind.ERASED,
    Kind.RESTORED,
}
"""Kinds that need time or another process; each has its own entry in ``tests/unit/cli/test_words.py``."""
