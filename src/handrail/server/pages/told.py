"""The words and shapes of the pages for what the code calls states, kinds and measures."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from handrail.server.pages.listing import laid_out
from handrail.words.delivery import DeliveryKind
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from handrail.words.overview import Met
from handrail.words.verdict import Measure, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

S, K = State, Kind
_AMOUNT = re.compile(r"(?P<whole>\D*[\d,]+)(?:\.(?P<digits>\d+))?(?P<rest>\D*)")
_json = msgspec.json.Encoder(decimal_format="number").encode
FAILED, NOW = "failed", "now"
"""The shapes of what went wrong and of what runs now, beside those of the four outcomes."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
UNITS = ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", SECOND, "s"))
STATES: Mapping[State, tuple[str, str]] = {
    S.PROPOSED: ("just asked for", Met.ASKED),
    S.DENIED: ("denied", Met.DENIED),
    S.SHADOWED: ("only recorded", Met.RECORDED),
    S.HELD: ("waits for an answer", Met.ASKED),
    S.ALLOWED: ("may run", Met.RAN),
    S.APPROVED: ("approved, not started", Met.ASKED),
    S.REJECTED: ("rejected", Met.DENIED),
    S.EXPIRED: ("its time was over", Met.DENIED),
    S.CANCELLED: ("taken back", Met.DENIED),
    S.SUPERSEDED: ("edited", Met.ASKED),
    S.WAITING: ("waits to be sent", Met.ASKED),
    S.RUNNING: ("running", NOW),
    S.DONE: ("ran", Met.RAN),
    S.FAILED: ("ran and failed", FAILED),
    S.UNKNOWN: ("nobody knows how it ended", FAILED),
    S.UNDOING: ("is being undone", NOW),
    S.UNDONE: ("undone", Met.RECORDED),
    S.PARTLY_UNDONE: ("partly undone", FAILED),
    S.UNDO_FAILED: ("could not be undone", FAILED),
    S.REDOING: ("runs again", NOW),
}
"""How an action's state is called, and which shape it has."""
KINDS: Mapping[Kind, str] = {
    K.POLICY_ACTIVATED: "policy activated",
    K.SESSION_OPENED: "session opened",
    K.PROPOSED: "asked for",
    K.DECIDED: "checked",
    K.REDECIDED: "checked anew",
    K.ASKED: "question put",
    K.VOTED: "answer given",
    K.ESCALATED: "question passed on",
    K.APPROVED: "approved",
    K.REJECTED: "rejected",
    K.EXPIRED: "time over",
    K.CANCELLED: "taken back",
    K.EDITED: "edited",
    K.ANSWERED: "agent told",
    K.RESUMED: "went on by itself",
    K.STANDING_MADE: "standing approval given",
    K.STANDING_USED: "standing approval used",
    K.STANDING_REVOKED: "standing approval ended",
    K.INTENDED: "started",
    K.DONE: "ran",
    K.FAILED: "failed",
    K.UNKNOWN: "lost sight of",
    K.SETTLED: "settled",
    K.HALTED: "stopped",
    K.LIFTED: "let go",
    K.BUDGET_ALERT: "budget reached a mark",
    K.BUDGET_OVERRUN: "budget overrun",
    K.BUDGET_RAISED: "budget raised",
    K.BUDGET_RAISE_ENDED: "raise ended",
    K.BUDGET_FROZEN: "budget frozen",
    K.BUDGET_THAWED: "budget thawed",
    K.PROMOTED: "moved up",
    K.DEMOTED: "moved down",
    K.SESSION_ENDED: "session ended",
    K.SESSION_HELD: "session held",
    K.SESSION_RELEASED: "session released",
    K.TOOL_REGISTERED: "tool came",
    K.TOOL_ACCEPTED: "tool accepted",
    K.PERSON_INVITED: "person invited",
    K.PERSON_CHANGED: "person changed",
    K.SIGNED_IN: "signed in",
    K.SIGN_IN_FAILED: "sign-in failed",
    K.SIGNED_OUT: "signed out",
    K.KEY_MADE: "key made",
    K.KEY_REVOKED: "key ended",
    K.MODEL_ASKED: "model asked",
    K.MODEL_DONE: "model answered",
    K.MODEL_FAILED: "model failed",
    K.MODEL_PRESUMED: "taken for spent",
    K.MODEL_REFUSED: "model refused",
    K.ERASED: "erased",
    K.RESTORED: "restored",
}
"""How an entry's kind is called."""
SHAPES: Mapping[Kind, str] = {
    K.DONE: Met.RAN,
    K.INTENDED: NOW,
    K.ASKED: Met.ASKED,
    K.VOTED: Met.ASKED,
    K.ESCALATED: Met.ASKED,
    K.APPROVED: Met.ASKED,
    K.EDITED: Met.ASKED,
    K.ANSWERED: Met.ASKED,
    K.RESUMED: Met.ASKED,
    K.REJECTED: Met.DENIED,
    K.EXPIRED: Met.DENIED,
    K.FAILED: FAILED,
    K.UNKNOWN: FAILED,
    K.HALTED: Met.DENIED,
    K.MODEL_ASKED: NOW,
    K.MODEL_DONE: Met.RAN,
    K.MODEL_FAILED: FAILED,
    K.MODEL_PRESUMED: FAILED,
    K.MODEL_REFUSED: Met.DENIED,
    K.SESSION_HELD: Met.DENIED,
    K.BUDGET_ALERT: Met.ASKED,
    K.BUDGET_OVERRUN: FAILED,
    K.BUDGET_FROZEN: Met.DENIED,
}
"""The shape of an entry's kind; the others have the ring of what is only told."""
MEASURES: Mapping[Measure, str] = {
    Measure.HALT: "Stops",
    Measure.PERMISSION: "Permission",
    Measure.ARGUMENTS: "Arguments",
    Measure.DENY: "Rules that refuse",
    Measure.CHECK: "Checks",
    Measure.ASK: "Rules that ask",
    Measure.LEVEL: "Where it stands",
    Measure.BUDGET: "Budgets",
    Measure.JUDGE: "Judged checks",
}
DELIVERIES: Mapping[DeliveryKind, str] = {
    DeliveryKind.ASKED: "a question",
    DeliveryKind.ANSWERED: "that a question was answered",
    DeliveryKind.OUTCOME: "what became of a question",
    DeliveryKind.HALTED: "a stop",
    DeliveryKind.LIFTED: "the end of a stop",
    DeliveryKind.SESSION_HELD: "a session that was held",
    DeliveryKind.LOST: "actions that nobody saw end",
    DeliveryKind.BUDGET: "a budget",
    DeliveryKind.TEST: "a test",
}
"""What could not be told, in words."""
OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    Outcome.PASS: ("fine", Met.RAN),
    Outcome.ASK: ("asks a person", Met.ASKED),
    Outcome.DENY: ("refuses", Met.DENIED),
}


def stamp(at: int, zone: str) -> str:
    """A moment as it stands in a row."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%d %b, %H:%M:%S")


def lasting(milliseconds: int) -> str:
    """How long something lasted, as short as it is clear."""
    if not milliseconds:
        return "less than 1 ms"
    if milliseconds < SECOND:
        return f"{milliseconds} ms"
    if milliseconds < MINUTE:
        return f"{milliseconds / SECOND:.1f} s"
    unit, word, part, smaller = next(each for each in UNITS if milliseconds >= each[0])
    rest = milliseconds % unit // part
    return f"{milliseconds // unit} {word}" + (f" {rest} {smaller}" if rest else "")


def aligned(told: Sequence[str | None]) -> list[str | None]:
    """Amounts of one column, each with as many digits behind the point: they stand under each other."""
    parts = [None if each is None else _AMOUNT.fullmatch(each) for each in told]
    digits = max((len(each["digits"] or "") for each in parts if each), default=0)
    if not digits:
        return list(told)
    return [
        f"{each['whole']}.{(each['digits'] or '').ljust(digits, '0')}{each['rest']}" if each else text
        for each, text in zip(parts, told, strict=True)
    ]


def written(value: object) -> str:
    """A value as JSON, laid out for reading."""
    return laid_out(_json(value).decode())


WORDS = {
    "written": written,
    "stamp": stamp,
    "lasting": lasting,
    "states": STATES,
    "kinds": KINDS,
    "shapes": SHAPES,
    "measures": MEASURES,
    "outcomes": OUTCOMES,
    "quiet": Met.RECORDED,
}
"""All of it, for templates."""
