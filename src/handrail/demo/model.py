"""A real model as the agent: a tool-calling loop with bounded turns.

Each call of a tool goes through the rail, each of the model through the gateway.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.demo import prompts
from handrail.demo.agent import hand_over
from handrail.demo.company import Ticket
from handrail.demo.hands import Attempt, Came, Hands
from handrail.demo.line import CallRefused
from handrail.demo.providers import Provider, Tool, ToolCall

MOST_TURNS = 8
USUAL_CONFIDENCE = 0.5
"""Taken for a model that does not say how sure it is: unsure enough to be asked."""

EXTRA: Mapping[str, object] = {
    "confidence": {"type": "number", "minimum": 0, "maximum": 1, "description": "How sure you are, 0 to 1."},
    "rationale": {"type": "string", "description": "Why, in one sentence."},
}


@dataclass(frozen=True, slots=True)
class Model:
    """The agent that a provider's model plays; ``told`` are the policy's lines for its system prompt."""

    provider: Provider
    tools: Mapping[str, Sequence[Tool]]
    """What each agent may use."""
    told: Mapping[str, Sequence[str]]
    until: float = math.inf
    """When it stops asking the provider, by the monotonic clock in seconds."""

    @property
    def name(self) -> str:
        """Who plays the agent, for people."""
        return self.provider.name

    def work(self, ticket: Ticket, hands: Hands) -> None:
        """Work on one ticket; must be called inside a session for it. Where no budget has room, people go on.

        Raises:
            ModelFailed: the provider did not answer as it should, or the policy does not let it be asked.
        """
        try:
            self._converse(ticket, hands)
        except CallRefused as refused:
            if not refused.out_of_room:
                raise
            hand_over(ticket, refused, hands)

    def _converse(self, ticket: Ticket, hands: Hands) -> None:
        system = prompts.system(self.told.get(ticket.agent, ()))
        tools = [_with_extra(tool) for tool in self.tools[ticket.agent]]
        conversation = self.provider.begin(system, prompts.mail(ticket), tools, hands.ask)
        for _ in range(MOST_TURNS):
            calls = conversation.next()
            if not calls or time.monotonic() > self.until:
                return
            conversation.answer([(call, _text(_use(call, hands))) for call in calls])

    def go_on(self, ticket: Ticket, attempt: Attempt, hands: Hands, *, edited: bool) -> None:
        """Its conversation is over: what people let through has run, the rest they get themselves."""
        del edited
        if attempt.came in {Came.REFUSED, Came.FAILED}:
            hand_over(ticket, attempt.said, hands)


def _with_extra(tool: Tool) -> Tool:
    """The tool with the two things that every call must say, which the tool itself never sees."""
    properties, required = tool.schema.get("properties"), tool.schema.get("required")
    schema = {
        **tool.schema,
        "properties": {**(properties if isinstance(properties, Mapping) else {}), **EXTRA},
        "required": [*(required if isinstance(required, Sequence) else ()), *EXTRA],
    }
    return Tool(tool.name, tool.description, schema)


def _use(call: ToolCall, hands: Hands) -> Attempt:
    args = {name: value for name, value in call.args.items() if name not in EXTRA}
    why = str(call.args.get("rationale", "The model gave no reason."))
    return hands.use(call.tool, args, sure=_share(call.args.get("confidence")), why=why)


def _share(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 1:
        return USUAL_CONFIDENCE
    return float(said)


def _text(attempt: Attempt) -> str:
    return attempt.said if isinstance(attempt.said, str) else json.dumps(attempt.said, default=str)
