"""The blocking driver: walks a road to its end in the caller's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.engine.context import without_key
from handrail.engine.effects import Call, Effect, Facts, Road, Write, facts

if TYPE_CHECKING:
    from handrail.engine.core import Engine


def walk(engine: Engine, road: Road) -> Any:
    """Drive ``road`` and give what it returns; what an effect raises is raised inside the road."""
    try:
        effect = next(road)
        while True:
            try:
                answer = perform(engine, effect)
            except BaseException as error:  # noqa: BLE001 - the road decides what an interrupt means
                effect = road.throw(error)
            else:
                effect = road.send(answer)
    except StopIteration as end:
        return end.value


def perform(engine: Engine, effect: Effect) -> Any:
    """Do one effect."""
    if isinstance(effect, Write):
        return engine.store.write(effect.commit, effect.work)
    if isinstance(effect, Call):
        with without_key():
            return effect.tool.function(**effect.tool.signature.decode(effect.payload))
    if isinstance(effect, Facts):
        return facts(engine, effect.queries)
    return effect.act()
