"""A server over an application's own rail: one engine, one keeper, and all of it closed at the end."""

from __future__ import annotations

import pytest

from handrail.cli.serve import _imported
from handrail.engine.keeper import Keeper, _keepers
from handrail.words.errors import HandrailError
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import forget_applications


def keepers_of(engine: object) -> list[Keeper]:
    """Everybody who does an engine's background work."""
    return [each for each in _keepers if each._engine() is engine]


def test_the_server_takes_over_the_keeper_that_the_application_has(shop: Shop) -> None:
    forget_applications()
    with _imported("desk:rail") as app:
        assert keepers_of(app.engine) == [app.keeper]
        assert not app.keeper.stopped
        app.engine.stir()
        keeper, store, thread = app.keeper, app.store, app.keeper._thread
        assert thread is not None
    assert keeper.stopped
    assert not thread.is_alive()
    with pytest.raises(HandrailError):
        store.read(lambda tx: tx.now())
