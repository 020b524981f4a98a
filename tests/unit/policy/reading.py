"""Helpers for the tests of reading policies: a small policy that loads, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

from handrail.policy.load import load
from handrail.policy.model import Policy
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem

DATA = Path(__file__).parents[2] / "data"
DESIGN = (DATA / "design-policy.yaml").read_text(encoding="utf-8")

BASE = """\
handrail: 1
agents:
  support: {may: [find_customer, issue_refund, send_offer]}
tools:
  find_customer: {does: read}
  issue_refund: {does: pay, category: refunds, touches: [payment], amount: args.amount, at_most: bounded}
  send_offer: {does: send, category: offers}
facts:
  customer: {sql: "select tier from customers where id = :id", database: shop, with: {id: args.customer_id}}
  ticket: {sql: "select category from tickets where id = :id", database: shop, with: {id: task}}
approvers:
  leads: {people: [lead@example.com, head@example.com]}
"""
"""Twelve lines; what a test adds begins in line 13."""
FIRST = 13


def included(name: str) -> str:
    """The text of a file beside the design's policy."""
    return (DATA / name).read_text(encoding="utf-8")


def design() -> Policy:
    """The policy of DESIGN.md, section 4."""
    return load(DESIGN, "handrail.yaml", included)


def problems(text: str, *, resolve: bool = True) -> list[Problem]:
    """Every problem of ``text``; none when it loads."""
    try:
        load(text, "handrail.yaml", included if resolve else None)
    except PolicyError as error:
        return list(error.problems)
    return []


def told(text: str) -> list[str]:
    """Every problem as ``line:column message``."""
    return [f"{one.line}:{one.column} {one.message}" for one in problems(text)]


def with_rule(rule: str) -> str:
    """The small policy with one rule, which stands in line 14 and begins in column 5."""
    return f"{BASE}rules:\n  - {rule}\n"
