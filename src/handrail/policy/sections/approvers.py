"""`approvers:` groups of people who may answer, and `alerts:` whom to tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handrail.policy.model import GroupPolicy, Place
from handrail.policy.reader import IDENTIFIER, Fields, Reader
from handrail.policy.units import HOURS, duration, hours
from handrail.policy.yaml import Node, Scalar
from handrail.words.verdict import ANYONE

REJECT = "reject"
USUAL_TIME = duration("1 day")
_PERSON = re.compile(r"[^\s,;:<>\"'\\]{1,254}")
_CHANNEL = re.compile(r"[a-z]+:\S+")


def approvers(reader: Reader, node: Node) -> dict[str, GroupPolicy]:
    """Every group by name."""
    found: dict[str, GroupPolicy] = {}
    for name, place, value in reader.entries(node, "groups of people by name"):
        reader.check_name(name, place, IDENTIFIER, "a group's name")
        if name in {ANYONE, REJECT}:
            reader.report(place, f"{name!r} means something else here", "another name for this group")
        fields = reader.fields(
            value,
            "a group",
            required=("people",),
            optional=("need", "answer_within", "if_no_answer", "hours", "via"),
        )
        reader.remember(f"approvers.{name}", fields)
        found[name] = _group(reader, name, place, fields)
    return found


def _group(reader: Reader, name: str, place: Place, fields: Fields) -> GroupPolicy:
    people = fields.get("people", lambda node: _people(reader, node), ())
    return GroupPolicy(
        name=name,
        people=people,
        need=_need(reader, fields, len(people)),
        answer_within=fields.get("answer_within", reader.duration, USUAL_TIME),
        if_no_answer=fields.get("if_no_answer", reader.identifier, REJECT),
        place=place,
        hours=fields.get("hours", lambda node: reader.spelled(node, hours, HOURS, ""), None),
        via=fields.get("via", lambda node: _via(reader, node), ()),
    )


def _people(reader: Reader, node: Node) -> tuple[str, ...]:
    """Each person once: who is spelled in two ways must not have two votes."""
    found: dict[str, str] = {}
    nodes = reader.items(node, "a list of people")
    for item in nodes:
        person = reader.text(item, "a person such as lead@example.com")
        if person and not _PERSON.fullmatch(person):
            reader.report(item.place, f"{person!r} names nobody", "a person such as lead@example.com")
        if person.casefold() in found:
            reader.report(item.place, f"{person!r} stands in this group twice", "each person once")
        found[person.casefold()] = person
    if not nodes and not isinstance(node, Scalar):
        reader.report(node.place, "a group without people could never answer", "at least one person")
    return tuple(found.values())


def _need(reader: Reader, fields: Fields, people: int) -> int:
    node = fields.nodes.get("need")
    if node is None:
        return 1
    need = reader.whole(node)
    if need < 1:
        reader.report(node.place, "at least one person must answer", "1 or more")
    elif people and need > people:
        reader.report(node.place, f"{need} must answer, but the group has {people}", f"{people} or less")
    return need


def _via(reader: Reader, node: Node) -> tuple[str, ...]:
    found = reader.texts(node, 'a list of channels such as ["slack:#offers"]')
    for channel in found:
        if channel and not _CHANNEL.fullmatch(channel):
            reader.report(node.place, f"{channel!r} names no channel", "kind:address, such as slack:#offers")
    return found


def alerts(reader: Reader, node: Node) -> Mapping[str, object]:
    """Whom alerts go to."""
    fields = reader.fields(node, "alerts", required=("to",))
    reader.remember("alerts", fields)
    return {"to": fields.get("to", reader.texts, ())}
