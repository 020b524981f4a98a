"""Which meter a client takes: by the package that it is of, and by the address that it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from handrail.meters import anthropic, openai
from handrail.meters.metering import Asker, Meter, Served, unknown_upstream
from handrail.meters.transport import is_metered, metered
from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from handrail.policy.model_rules import ModelRules
    from handrail.ports import ModelGate

C = TypeVar("C")
KINDS = (openai, anthropic)


def meter(
    client: C,
    upstream: str | None,
    gate: ModelGate,
    rules: Callable[[], ModelRules],
    asker: Callable[[], Asker],
) -> C:
    """A copy of a client of the openai or the anthropic package, of the same class, that is metered.

    Raises:
        BadArguments: it is no such client, it is metered already, or nobody knows its upstream's name.
    """
    found = _served(client, upstream)
    if is_metered(client):
        raise BadArguments("this client is metered already")
    made: C = metered(client, Meter(gate, rules, asker, found))
    return made


def _served(client: object, upstream: str | None) -> Served:
    packages = {kind.__module__.partition(".")[0] for kind in type(client).__mro__}
    for kind in KINDS:
        if kind.PACKAGE in packages and hasattr(client, "base_url") and hasattr(client, "with_options"):
            address = client.base_url
            if upstream is None and address.host != kind.HOME:
                raise unknown_upstream(str(address))
            if kind.NEEDS is not None and not hasattr(client, kind.NEEDS):
                raise BadArguments(
                    f"this version of {kind.PACKAGE} has no {kind.NEEDS}: what its client sends by WebSocket "
                    f"would pass by the meter; install a newer one (pip install --upgrade {kind.PACKAGE})"
                )
            found: Served = kind.served(upstream or kind.NAME)
            return found
    raise BadArguments(
        f"a {type(client).__module__}.{type(client).__qualname__} can't be metered; expected a client of the "
        "openai or the anthropic package, such as openai.OpenAI() or anthropic.AsyncAnthropic()"
    )
