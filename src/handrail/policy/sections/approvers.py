"""`approvers:` groups of people who may answer, and `alerts:` whom to tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handrail.policy.channels import CHANNEL, is_channel, likely
from handrail.policy.model import GroupPolicy, Place
from handrail.policy.nearest import nearest
from handrail.policy.reader import IDENTIFIER, Fields, Reader
from handrail.policy.units import HOURS, LONGEST, duration, hours
from handrail.policy.working_hours import WEEK, per_week
from handrail.policy.yaml import Node, Pairs, Scalar
from handrail.words.verdict import ANYONE

REJECT = "reject"
USUAL_TIME = duration("1 day")
_PERSON = re.compile(r"[^\s,;:<>\"'\\]{1,254}")
_A_PERSON = "a person such as lead@example.com"
_OPTIONAL = ("need", "answer_within", "if_no_answer", "hours", "via", "deputies", "edits_need_another")


def approvers(reader: Reader, node: Node) -> dict[str, GroupPolicy]:
    """Every group by name."""
    found: dict[str, GroupPolicy] = {}
    for name, place, value in reader.entries(node, "groups of people by name"):
        reader.check_name(name, place, IDENTIFIER, "a group's name")
        if name in {ANYONE, REJECT}:
            reader.report(place, f"{name!r} means something else here", "another name for this group")
        fields = reader.fields(value, "a group", required=("people",), optional=_OPTIONAL)
        reader.remember(f"approvers.{name}", fields)
        found[name] = _group(reader, name, place, fields)
    return found


def _group(reader: Reader, name: str, place: Place, fields: Fields) -> GroupPolicy:
    people = fields.get("people", lambda node: _people(reader, node), ())
    deputies = fields.get("deputies", lambda node: _deputies(reader, people, node), {})
    return GroupPolicy(
        name=name,
        people=people,
        need=_need(reader, fields, len(people)),
        answer_within=_answer_within(reader, fields),
        if_no_answer=fields.get("if_no_answer", reader.identifier, REJECT),
        place=place,
        hours=fields.get("hours", lambda node: reader.spelled(node, hours, HOURS, ""), None),
        via=fields.get("via", lambda node: _via(reader, node), ()),
        deputies=deputies,
        edits_need_another=_edits_need_another(reader, fields, people, deputies),
    )


def _people(reader: Reader, node: Node) -> tuple[str, ...]:
    found = _each_once(reader, node)
    if not found and not isinstance(node, Scalar):
        reader.report(node.place, "a group without people could never answer", "at least one person")
    return found


def _each_once(reader: Reader, node: Node) -> tuple[str, ...]:
    """Each person once: who is spelled in two ways must not have two votes."""
    found: dict[str, str] = {}
    for item in reader.items(node, "a list of people"):
        person = reader.text(item, _A_PERSON)
        if person and not _PERSON.fullmatch(person):
            reader.report(item.place, f"{person!r} names nobody", _A_PERSON)
        if person.casefold() in found:
            reader.report(item.place, f"{person!r} stands in this group twice", "each person once")
        found[person.casefold()] = person
    return tuple(found.values())


def _deputies(reader: Reader, people: tuple[str, ...], node: Node) -> dict[str, tuple[str, ...]]:
    """Who stands in for whom: for members of this group only, and for somebody else."""
    found: dict[str, tuple[str, ...]] = {}
    members = {person.casefold(): person for person in people}
    for name, place, value in reader.entries(node, "deputies as `member: [deputy, …]` pairs"):
        member = members.get(name.casefold())
        if member is None and people:
            near = nearest(name, people)
            reader.report(place, f"{name!r} is not in this group", f"one of {', '.join(people)}", near)
        if member in found:
            reader.report(place, f"{name!r} stands here twice", "each member once")
        found[member or name] = _stand_ins(reader, name, value)
    if not found and isinstance(node, Pairs):
        reader.report(node.place, "nothing stands here", "`member: [deputy, …]`")
    return found


def _stand_ins(reader: Reader, member: str, node: Node) -> tuple[str, ...]:
    found = _each_once(reader, node)
    if not found and not isinstance(node, Scalar):
        reader.report(node.place, f"nobody stands in for {member!r}", "at least one person")
    if member.casefold() in {deputy.casefold() for deputy in found}:
        reader.report(node.place, f"{member!r} can't stand in for themselves", "somebody else")
    return found


def _edits_need_another(
    reader: Reader, fields: Fields, people: tuple[str, ...], deputies: Mapping[str, tuple[str, ...]]
) -> bool:
    wanted = fields.get("edits_need_another", reader.flag, False)
    some = {person.casefold() for person in (*people, *(one for each in deputies.values() for one in each))}
    if wanted and len(some) == 1:
        message = "nobody else is in this group to approve what its one member edits"
        reader.report(fields.places["edits_need_another"], message, "at least two people")
    return wanted


def _answer_within(reader: Reader, fields: Fields) -> int:
    """The time to answer; within working hours it must be over before everybody has left."""
    within = fields.get("answer_within", reader.duration, USUAL_TIME)
    known = fields.nodes.get("hours")
    try:
        share = per_week(hours(known.text)) if isinstance(known, Scalar) else WEEK
    except ValueError:
        return within  # the hours are wrong, and said to be
    if within * WEEK > LONGEST * share:
        place = fields.places.get("answer_within", fields.places["hours"])
        reader.report(place, "with these hours it would take more than a hundred years", "a shorter time")
    return within


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
    for item in reader.items(node, "") if found else ():
        if isinstance(item, Scalar) and isinstance(item.value, str) and not is_channel(item.value):
            reader.report(item.place, f"{item.value!r} names no channel", CHANNEL, likely(item.value))
    return found


def alerts(reader: Reader, node: Node) -> Mapping[str, object]:
    """Whom alerts go to."""
    fields = reader.fields(node, "alerts", required=("to",))
    reader.remember("alerts", fields)
    return {"to": fields.get("to", reader.texts, ())}
