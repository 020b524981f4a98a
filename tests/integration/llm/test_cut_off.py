"""What restricts cuts off a stream that runs, as a halt does; one beside it goes on to its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from handrail.engine.budgets.changes import freeze, thaw
from handrail.engine.identity.keys import revoke_key
from handrail.engine.loops import hold
from handrail.engine.restrict import halt, lift
from handrail.words.model_call import CallState
from tests.support.gateway import AGENT, Front
from tests.support.processes import until
from tests.support.server import make_key

PERSON = "admin@example.com"
PATHS = {"local": "/local/v1/chat/completions", "anthropic": "/anthropic/v1/messages"}
MODELS = {"local": "mock", "anthropic": "claude-haiku-4-5"}
Headers = dict[str, str]
Setting = tuple[Headers, Headers, Callable[[], Callable[[], object]]]
"""Headers of the stream that is cut and of its twin; what restricts, and gives what ends that."""


def _nothing() -> None:
    """What is not taken back."""


def _session(gateway: Front) -> tuple[str, Headers]:
    with gateway.served.with_key(AGENT) as api:
        opened = api.post("/api/v1/sessions", json={"agent": AGENT, "task": "ticket-17"}).json()
    return opened["id"], {"x-handrail-session": f"{opened['id']}:{opened['token']}"}


def held(gateway: Front) -> Setting:
    (name, cut), (_, twin) = _session(gateway), _session(gateway)

    def restrict() -> Callable[[], object]:
        hold(gateway.engine, name, "it goes in circles", PERSON)
        return _nothing

    return cut, twin, restrict


def frozen(gateway: Front) -> Setting:
    def restrict() -> Callable[[], object]:
        freeze(gateway.engine, "small", PERSON, "looking into it")
        return lambda: thaw(gateway.engine, "small", PERSON, "well")

    return {"authorization": f"Bearer {gateway.keys['other']}"}, {}, restrict


def revoked(gateway: Front) -> Setting:
    key = make_key(gateway.engine, AGENT)

    def restrict() -> Callable[[], object]:
        revoke_key(gateway.engine, key.split("_")[2], PERSON, "lost")
        return _nothing

    return {"authorization": f"Bearer {key}"}, {}, restrict


def halted(gateway: Front) -> Setting:
    def restrict() -> Callable[[], object]:
        found, _ = halt(gateway.engine, "enough", PERSON, agent="other")
        return lambda: lift(gateway.engine, found, PERSON, "well")

    return {"authorization": f"Bearer {gateway.keys['other']}"}, {}, restrict


def _error(api: str, lines: list[str]) -> dict[str, Any]:
    """The last event, as this API's clients take an error."""
    found = json.loads(lines[-1].removeprefix("data: "))
    if api == "anthropic":
        assert "event: error" in lines
        assert found["type"] == "error"
    error: dict[str, Any] = found["error"]
    return error


@pytest.mark.parametrize(
    ("setting", "api", "code"),
    [
        (held, "local", "session"),
        (held, "anthropic", "session"),
        (frozen, "local", "budget_frozen"),
        (revoked, "local", "key"),
        (revoked, "anthropic", "key"),
        (halted, "local", "halted"),
    ],
)
def test_what_restricts_cuts_off_what_runs_and_nothing_else(
    gateway: Front, setting: Callable[[Front], Setting], api: str, code: str
) -> None:
    goes_on = threading.Event()
    gateway.up.behaves(writes=50, waits=goes_on)
    cut, twin, restrict = setting(gateway)
    messages = [{"role": "user", "content": "hi"}]
    asked = {"model": MODELS[api], "max_tokens": 50, "stream": True, "messages": messages}
    with ExitStack() as stack:
        both = [
            stack.enter_context(gateway.http(AGENT, **headers).stream("POST", PATHS[api], json=asked))
            for headers in (cut, twin)
        ]
        lines = [each.iter_lines() for each in both]
        assert all(next(each) for each in lines)
        names = [each.headers["x-handrail-call"] for each in both]
        take_back = restrict()
        rest = [line for line in lines[0] if line]
        error = _error(api, rest)
        assert error["handrail"]["code"] == code
        goes_on.set()
        assert [line for line in lines[1] if line][-1].startswith("data: ")
    take_back()
    until(lambda: all(each.state is not CallState.RUNNING for each in gateway.calls() if each.id in names))
    stopped, whole = (next(each for each in gateway.calls() if each.id == name) for name in names)
    assert (stopped.state, stopped.presumed, stopped.cost) == (CallState.FAILED, True, stopped.bound_cost)
    assert stopped.error == error["message"]
    assert (whole.state, whole.presumed) == (CallState.DONE, False)
