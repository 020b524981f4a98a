"""An agent's line to the server: sessions to open, and models to ask in them, all with the agent's own key.

Models are behind the server's gateway: no agent holds a provider's key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from handrail.remote.http import IDLE, Asker
from handrail.remote.introduced import Opened, read
from handrail.remote.wire import encode

if TYPE_CHECKING:
    from handrail.demo.hands import Ask

SESSION = "x-handrail-session"
SECONDS = 30.0
"""Seconds that a model may take for one answer."""
TOLD = 300
"""Characters of an answer that are told when it is none."""


class ModelFailed(Exception):
    """A model did not answer as it should; the text says what came instead."""


class CallRefused(ModelFailed):
    """Handrail did not let a call of a model through; the text is what it told the agent."""

    def __init__(self, said: str, code: str) -> None:
        """``code`` is the gateway's own word for why."""
        super().__init__(said)
        self.code = code

    @property
    def halted(self) -> bool:
        """Whether it was the kill switch, which people lift."""
        return self.code == "halted"

    @property
    def out_of_room(self) -> bool:
        """Whether a limit was met that people set: the agent may ask no more, and nothing is broken."""
        return self.code in {"budget_exhausted", "budget_frozen", "session"}


class Line:
    """One agent's key at the server. Threads may share it."""

    def __init__(self, url: str, key: str) -> None:
        self._asker = Asker(url, key)
        self._client = httpx.Client(
            base_url=f"{url}/llm/",
            headers={"authorization": f"Bearer {key}"},
            timeout=SECONDS,
            limits=httpx.Limits(keepalive_expiry=IDLE),
            trust_env=False,
        )

    def open(self, agent: str, task: str) -> tuple[tuple[str, str], Ask]:
        """A new session, as the rail takes one, and how a model is asked in it.

        Raises:
            handrail.HandrailError: the server does not open one.
        """
        made = read(self._asker.post("sessions", encode({"agent": agent, "task": task})), Opened)
        return (made.id, made.token), partial(self._ask, f"{made.id}:{made.token}")

    def close(self) -> None:
        """End every connection."""
        self._asker.close()
        self._client.close()

    def _ask(self, session: str, path: str, body: Mapping[str, object], **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {SESSION: session}
        try:
            answer = self._client.post(path, content=json.dumps(body, ensure_ascii=False), headers=sent)
            said = json.loads(answer.content)
        except (httpx.HTTPError, ValueError) as error:
            raise ModelFailed(f"{path} could not be used: {error}") from error
        if answer.is_success:
            return said
        refused = said.get("error") if isinstance(said, dict) else None
        told = refused.get("handrail") if isinstance(refused, dict) else None
        if isinstance(refused, dict) and isinstance(told, dict):
            raise CallRefused(str(refused.get("message")), str(told.get("code")))
        raise ModelFailed(f"{path} answered {answer.status_code}: {answer.text[:TOLD]}")
