"""The model gateway in front of the server's application: the only place that knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.words.errors import BadArguments, Refused

if TYPE_CHECKING:
    from fastapi import FastAPI

    from handrail.engine.core import Engine
    from handrail.llm.mount import Mounted
    from handrail.llm.settings import LlmSettings
    from handrail.server.state import ServerState


def around(made: FastAPI, engine: Engine) -> Mounted | None:
    """The application with the gateway under ``/llm/``; None where the settings name no upstream.

    Raises:
        BadArguments: a setting is not what its name means.
        Refused: the extra is not installed.
    """
    from handrail.llm.settings import from_environment

    settings = from_environment()
    if not settings.upstreams:
        return None
    try:
        from handrail.llm.gateway import Gateway
        from handrail.llm.mount import Mounted
    except ImportError as error:
        missing = f"({error.name} is missing)"
        raise Refused(f"the model gateway needs 'pip install handrail[llm]' {missing}") from error
    from handrail.engine.models.calls import ModelGate
    from handrail.llm.door import Door

    _priced(settings)
    state: ServerState = made.state.server
    limits = state.limits
    door = Door(state.keys.find, limits.addresses.take, limits.keys.take, limits.guessing.take)
    return Mounted(made, Gateway(engine, ModelGate(engine), door, settings))


def _priced(settings: LlmSettings) -> None:
    """Load the price list now, and not while the first call waits."""
    from handrail.meters.prices import providers

    known = providers()
    for each in settings.upstreams.values():
        if each.prices is not None and each.prices not in known:
            raise BadArguments(
                f"HANDRAIL_UPSTREAM_{each.name.upper()}_PRICES is {each.prices!r}; the price list has: "
                f"{', '.join(known)}"
            )
