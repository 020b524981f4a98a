"""From the text of a policy file to a typed policy: phase one of checking, the file alone.

Phase two, where each tool is bound to code and each fact to its source, is the compiled policy's.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

from handrail.policy.includes import Includes, Resolve
from handrail.policy.meaning import check_meaning
from handrail.policy.model import AgentPolicy, LoopPolicy, Policy, ToolPolicy
from handrail.policy.nearest import nearest
from handrail.policy.reader import Fields, Reader
from handrail.policy.references import check_references
from handrail.policy.sections.agents import agents
from handrail.policy.sections.approvers import alerts, approvers
from handrail.policy.sections.budgets import budgets
from handrail.policy.sections.checks import checks
from handrail.policy.sections.data import data
from handrail.policy.sections.facts import facts
from handrail.policy.sections.ladder import ladder
from handrail.policy.sections.loops import loops
from handrail.policy.sections.models import dollar, models, sessions_required
from handrail.policy.sections.rules import never, preapproved, rules
from handrail.policy.sections.tools import tools, undescribed
from handrail.policy.selectors import is_name
from handrail.policy.yaml import MOST_PROBLEMS, Node, Scalar, parsed
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem

VERSION = 1
"""The version of the format: what `handrail:` says in the first line."""
SECTIONS = (
    *("currency", "dollar", "timezone", "agents", "tools", "facts", "rules", "preapproved", "checks"),
    *("budgets", "models", "loops", "approvers", "alerts", "ladder", "data", "never"),
)
DOLLARS = "USD"
T = TypeVar("T")
_CURRENCY = re.compile(r"[A-Z]{3}")


def load_stored(name: str, files: Mapping[str, str]) -> Policy:
    """A version as a store keeps it: the policy file's name, and every file by its name."""
    return load(files[name], name, lambda each: files[each])


def load(text: str, name: str = "handrail.yaml", resolve: Resolve | None = None) -> Policy:
    """The policy that ``text`` says; ``resolve`` gives the text of an included file by its relative name.

    Raises:
        PolicyError: with every problem found, in the order of the file.
    """
    reader = Reader(name)
    try:
        root, found = parsed(text, name)
        reader.problems.extend(found)
        policy = _policy(reader, root, text, Includes(resolve))
        _check_tool_names(reader, policy)
        check_references(reader, policy)
        check_meaning(reader, policy)
    except PolicyError as error:
        raise PolicyError(_in_order(error.problems, name)) from None
    if reader.problems:
        raise PolicyError(_in_order(reader.problems, name))
    return policy


def _policy(reader: Reader, root: Node, text: str, includes: Includes) -> Policy:
    fields = reader.fields(root, "a policy", required=("handrail",), optional=SECTIONS)
    for word, place in fields.places.items():
        reader.places[word] = place
    _check_version(reader, fields)

    def section(word: str, read: Callable[[Reader, Node], T], empty: Callable[[], T]) -> T:
        return read(reader, fields.nodes[word]) if word in fields.nodes else empty()

    who: dict[str, AgentPolicy] = section("agents", agents, dict)
    described: dict[str, ToolPolicy] = section("tools", tools, dict)
    redact, keep = section("data", data, lambda: ((), {}))
    return Policy(
        version=VERSION,
        currency=section("currency", _currency, lambda: DOLLARS),
        timezone=section("timezone", _timezone, lambda: "UTC"),
        agents=who,
        tools={**described, **undescribed(who, described)},
        facts=section("facts", facts, dict),
        rules=section("rules", rules, tuple),
        preapproved=section("preapproved", preapproved, tuple),
        checks=fields.get("checks", lambda node: checks(reader, node, includes), ()),
        budgets=section("budgets", budgets, tuple),
        models=section("models", models, tuple),
        sessions_required=section("models", sessions_required, bool),
        dollar=_dollar(reader, fields),
        loops=section("loops", loops, LoopPolicy),
        approvers=section("approvers", approvers, dict),
        redact=redact,
        never=section("never", never, tuple),
        alerts=section("alerts", alerts, dict),
        ladder=section("ladder", ladder, dict),
        keep=keep,
        places=reader.places,
        files={reader.file: text, **includes.files},
        digest=digest(text, includes.files),
    )


def digest(text: str, included: Mapping[str, str]) -> str:
    """SHA-256 over the policy's text and every included file with its name, wherever they lie."""
    whole = sha256()
    for name, content in [("", text), *sorted(included.items())]:
        for part in (name.encode(), content.encode()):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _check_version(reader: Reader, fields: Fields) -> None:
    node = fields.nodes.get("handrail")
    version = node.value if isinstance(node, Scalar) else None
    if node is not None and (version is True or version != VERSION):
        reader.wrong(node, f"{VERSION}, the version of the format")


def _currency(reader: Reader, node: Node) -> str:
    return reader.named(node, _CURRENCY, "a currency such as USD or EUR", "three capital letters")


def _dollar(reader: Reader, fields: Fields) -> Decimal | None:
    """What a dollar costs; 1 where the policy counts in dollars."""
    node = fields.nodes.get("currency")
    in_dollars = node is None or (isinstance(node, Scalar) and node.value == DOLLARS)
    if in_dollars and "dollar" in fields.nodes:
        message = "the policy counts in dollars already"
        reader.report(fields.places["dollar"], message, f"`dollar:` beside a currency other than {DOLLARS}")
    return Decimal(1) if in_dollars else fields.get("dollar", lambda rate: dollar(reader, rate), None)


def _timezone(reader: Reader, node: Node) -> str:
    word = reader.text(node, "a time zone such as Europe/Warsaw")
    try:
        zoneinfo.ZoneInfo(word or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(word, zoneinfo.available_timezones())
        reader.report(node.place, f"{word!r} is no time zone", "a time zone such as Europe/Warsaw", near)
    return word


def _check_tool_names(reader: Reader, policy: Policy) -> None:
    """A tool must not be named like a selector: a rule for it would mean another thing."""
    for tool in policy.tools.values():
        if not is_name(tool.name):
            reader.report(tool.place, f"{tool.name!r} selects tools in a rule", "another name for this tool")


def _in_order(problems: Iterable[Problem], name: str) -> tuple[Problem, ...]:
    """Each problem once: those of the policy first, from top to bottom."""
    once = dict.fromkeys(problems)
    ordered = sorted(once, key=lambda one: (one.file != name, one.file, one.line, one.column))
    return tuple(ordered[:MOST_PROBLEMS])
