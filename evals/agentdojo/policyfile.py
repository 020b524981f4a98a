"""Writes the policy file of a suite from its tool list: reads run alone (level 1), everything else asks."""

from __future__ import annotations

from collections.abc import Iterable

from evals.agentdojo.toollist import does

AGENT = "agent"
OWNER = "owner@example.com"

HEAD = """\
handrail: 1

agents:
  {agent}:
    may:
{may}

tools:
{tools}

approvers:
  owner: {{people: [{owner}], need: 1, answer_within: 1 day, if_no_answer: reject}}
"""


def policy(names: Iterable[str]) -> str:
    """Give the text of a policy that lets the agent use these tools, in the order given."""
    listed = list(names)
    return HEAD.format(
        agent=AGENT,
        owner=OWNER,
        may="\n".join(f"      - {name}" for name in listed),
        tools="\n".join(f"  {name}: {_line(does(name))}" for name in listed),
    )


def _line(verb: str) -> str:
    rung = "preapproved" if verb == "read" else "suggest"
    return f"{{does: {verb}, starts: {rung}, at_most: {rung}}}"
