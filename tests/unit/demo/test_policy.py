"""The company's policy and its tools know each other, and nothing in it is left to chance."""

from __future__ import annotations

import inspect
from typing import Any

from ruamel.yaml import YAML

from handrail.demo.company import data, tickets
from handrail.demo.folder import VISITOR
from handrail.demo.people import answers, late_answers
from handrail.demo.stand_in import MODEL, UPSTREAM
from handrail.demo.tools import Desk

POLICY: dict[str, Any] = YAML(typ="safe").load(data("policy.yaml").read_text(encoding="utf-8"))
TOOLS = {name for name in vars(Desk) if not name.startswith("_") and name != "tools"}


def _may(agent: str) -> set[str]:
    entries = POLICY["agents"][agent]["may"]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def test_the_policy_describes_exactly_the_tools_there_are() -> None:
    assert set(POLICY["tools"]) == TOOLS


def test_the_policy_knows_every_agent_of_the_inbox() -> None:
    assert {ticket.agent for ticket in tickets()} == set(POLICY["agents"])


def test_no_agent_may_export_the_customers_and_every_other_tool_has_an_agent() -> None:
    assert TOOLS - _may("desk") - _may("quotes") == {"export_customers"}


def test_every_rung_but_none_twice_as_bold_as_needed_is_used() -> None:
    rungs = {tool.get("starts", "preapproved") for tool in POLICY["tools"].values()}
    assert rungs == {"shadow", "suggest", "preapproved", "bounded", "autonomous"}


def test_rules_speak_only_of_arguments_that_their_tools_have() -> None:
    for rule in [*POLICY["rules"], *POLICY["preapproved"]]:
        names = rule["tools"] if isinstance(rule["tools"], list) else [rule["tools"]]
        for name in names:
            if name == "writes":
                continue
            parameters = inspect.signature(getattr(Desk, name)).parameters
            said = [
                part.split(".")[1].split()[0] for part in rule["when"].split() if part.startswith("args.")
            ]
            assert set(said) <= set(parameters), rule["id"]


def test_every_person_who_answers_is_an_approver() -> None:
    people = {person for group in POLICY["approvers"].values() for person in group["people"]}
    assert {answer.person for answer in answers(tickets())} <= people


def test_the_visitor_may_answer_every_question_alone() -> None:
    assert all(VISITOR in group["people"] for group in POLICY["approvers"].values())


def test_what_people_answer_late_names_tickets_and_approvers() -> None:
    people = {person for group in POLICY["approvers"].values() for person in group["people"]}
    found = late_answers(tickets())
    assert {answer.person for answer in found} <= people - {VISITOR}
    assert len({(answer.ticket, answer.tool) for answer in found}) == len(found)
    assert not {(answer.ticket, answer.tool) for answer in found} & {
        (answer.ticket, answer.tool) for answer in answers(tickets())
    }


def test_only_the_stand_in_has_a_made_up_price_and_every_model_has_a_budget() -> None:
    """A real model costs what its provider asks: the price list knows."""
    priced = {name for name, rule in POLICY["models"].items() if "price" in rule}
    assert priced == {f"{UPSTREAM}:{MODEL}"}
    costs = [budget for budget in POLICY["budgets"] if "cost" in budget]
    assert {budget["per"] for budget in costs} == {"day", "task"}
    assert not any({"models", "tools", "agents"} & set(budget) for budget in costs)
    assert POLICY["dollar"] > 0
