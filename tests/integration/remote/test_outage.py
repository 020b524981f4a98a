"""A server that is killed while a tool runs: the tool goes on, and its end is recorded by the next server."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

import handrail
from handrail.words.lifecycle import State
from tests.integration.remote.conftest import answered
from tests.support.server import make_key, served

LONG = 180.0


@pytest.fixture
def port() -> str:
    """A port that is free, for one server after another."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def test_what_ran_while_the_server_was_killed_is_recorded_and_questions_outlive_it(
    tmp_path: Path, port: str
) -> None:
    started, go = threading.Event(), threading.Event()
    outputs: list[str] = []
    with ExitStack() as stack:
        first = stack.enter_context(served(tmp_path, args=("--port", port)))
        with first.engine() as engine:
            key = make_key(engine, "support")
        rail = stack.enter_context(handrail.connect(first.url, key=key))

        @rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            started.set()
            assert go.wait(LONG)
            return f"refunded {order}"

        def agent() -> None:
            with rail.session("support", "t-1"):
                outputs.append(refund("o-1", 20))

        with rail.session("support", "t-2"), pytest.raises(handrail.Held) as held:
            refund("o-2", 200)
        working = threading.Thread(target=agent)
        working.start()
        assert started.wait(LONG)
        first.stop(signal.SIGKILL)
        waiting = threading.Thread(target=lambda: outputs.append(rail.wait(held.value.action_id).state))
        waiting.start()
        go.set()
        second = stack.enter_context(served(tmp_path, args=("--port", port)))
        working.join(LONG)
        answered(second, held.value.action_id)
        waiting.join(LONG)
        assert outputs == ["refunded o-1", State.APPROVED]
        assert rail.resume(held.value.action_id) == "refunded o-2"
        assert rail.action(held.value.action_id).state is State.DONE
