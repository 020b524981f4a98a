"""One attempt: the tool is called, and however that ends is settled. Where it is written, others decide."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handrail.engine.core import logger
from handrail.engine.effects import Call, NotBegun, Road
from handrail.engine.settle import must_be_over, output_text
from handrail.engine.texts import error_text, fit, said
from handrail.words.errors import NotDone
from handrail.words.lifecycle import State


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. ``nothing_done`` is True only when the tool provably had no effect."""

    state: State
    output: str | None
    error: str | None
    nothing_done: bool
    milliseconds: float


Settle = Callable[[Ended, object], Road]
"""Writes how it ended; the object is what the tool returned, for an error that must not lose it."""


def attempt(call: Call, action: str, hidden: Callable[[str], str], settle: Settle) -> Road:
    """Call the tool and settle; give its output. ``hidden`` takes out of a text what may not be kept."""
    begun = time.perf_counter_ns()

    def ended(state: State, output: str | None, error: str | None, *, nothing_done: bool = False) -> Ended:
        took = round((time.perf_counter_ns() - begun) / 1e6, 3)
        return Ended(state, output, error, nothing_done, took)

    try:
        output: Any = yield call
        must_be_over(call.tool.name, output)
    except GeneratorExit:
        raise
    except (NotDone, NotBegun) as error:
        why = hidden(fit(said(error) or "the tool did nothing"))
        yield from settle(ended(State.FAILED, None, why, nothing_done=True), None)
        raise
    except BaseException as error:
        why = hidden(error_text(error))
        logger.info("action %s failed: %s", action, why)
        yield from settle(ended(State.FAILED, None, why), None)
        raise
    yield from settle(ended(State.DONE, output_text(output), None), output)
    return output
