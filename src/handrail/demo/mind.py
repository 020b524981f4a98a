"""The scripted agent's mind: one conversation with the stand-in about one ticket, asked as any model is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from handrail.demo import prompts, stand_in
from handrail.demo.company import Ticket
from handrail.demo.hands import Attempt, Hands
from handrail.demo.line import ModelFailed

PATH = f"{stand_in.UPSTREAM}{stand_in.PATH}"
LONGEST = 120
"""Tokens that one answer may have."""
BROKE_OFF = "The model's answer broke off: no budget had room for the rest of it."


class Mind:
    """Every call is one of the agent's, in its session: it is budgeted, and it may be refused."""

    def __init__(self, ticket: Ticket, told: Iterable[str], hands: Hands) -> None:
        """``told`` are the policy's lines for the system prompt."""
        self._ticket, self._hands, self._mail = ticket, hands, prompts.mail(ticket)
        self._messages = [{"role": "system", "content": prompts.system(told)}]

    def read(self) -> tuple[str, float]:
        """What the mail is about, and how sure the agent is of that (0 to 1).

        Raises:
            ModelFailed: as for every call here.
        """
        said = self._say(prompts.READ)
        try:
            found = json.loads(said)
            return str(found["category"]), float(found["sure"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFailed(f"the model did not answer as it was asked: {said[:80]}") from error

    def mail(self, tool: str) -> str:
        """The text of a mail that the script plans to send with ``tool``."""
        return self._say(prompts.wanted(tool))

    def reply(self, came: Sequence[Attempt]) -> str:
        """What the customer is told of what came of the calls; written anew while the agent has doubts."""
        text = self._say(prompts.after([_line(each) for each in came], prompts.REPLY))
        for _ in range(1, self._ticket.drafts):
            text = self._say(prompts.after([], f"{self._ticket.doubt}\n\n{prompts.REPLY}"))
        return text

    def decided(self, said: object) -> str:
        """What the customer is told when a person decided differently."""
        return self._say(prompts.DECIDED + " ".join(str(said).split()))

    def _say(self, wish: str) -> str:
        first = len(self._messages) == 1
        self._messages.append({"role": "user", "content": f"{self._mail}\n\n{wish}" if first else wish})
        body = {"model": stand_in.MODEL, "messages": self._messages, "max_tokens": LONGEST}
        text = _text(self._hands.ask(PATH, body))
        self._messages.append({"role": "assistant", "content": text})
        return text


def _line(attempt: Attempt) -> str:
    said = attempt.said if isinstance(attempt.said, str) else json.dumps(attempt.said, default=str)
    return f"{attempt.tool}: {said}"


def _text(answer: Any) -> str:
    try:
        [choice] = answer["choices"]
        text, ended = choice["message"]["content"], choice["finish_reason"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFailed(f"the answer is not a chat completion: {error!r}") from error
    if ended != "stop":
        raise ModelFailed(BROKE_OFF)
    return str(text)
