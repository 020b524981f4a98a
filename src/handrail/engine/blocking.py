"""The blocking driver: walks a road to its end in the caller's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.engine.context import without_key
from handrail.engine.effects import Call, Do, Effect, Road, Write, facts

if TYPE_CHECKING:
    from handrail.engine.core import Engine


def walk(engine: Engine | None, road: Road) -> Any:
    """Drive ``road`` and give what it returns; what an effect raises is raised inside the road.

    A road that only calls tools and does pieces of I/O needs no engine.
    """
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


def perform(engine: Engine | None, effect: Effect) -> Any:
    """Do one effect."""
    if isinstance(effect, Call):
        with without_key():
            return effect.tool.function(**effect.tool.signature.decode(effect.payload))
    if isinstance(effect, Do):
        return effect.act()
    if engine is None:
        raise AssertionError("this road writes or asks for facts, which takes an engine")
    if isinstance(effect, Write):
        return engine.store.write(effect.commit, effect.work)
    return facts(engine, effect.queries)
