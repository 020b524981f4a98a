"""What the end of the demo says of models."""

from __future__ import annotations

import pytest

from handrail.demo.ledger import Asked
from handrail.demo.summary import _models

CENT = 10_000_000


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"shop": 54 * CENT}, "cost €0.54, each in the ledger to the cent. Nothing of it was spent"),
        (
            {"openai": 0, "shop": 54 * CENT},
            "cost €0.54, each in the ledger to the cent. Nothing of it was spent",
        ),
        (
            {"openai": 30 * CENT, "shop": 54 * CENT},
            "cost €0.84, each in the ledger to the cent. €0.54 of it is",
        ),
        ({"openai": 30 * CENT}, "cost €0.30, each in the ledger to the cent."),
        ({}, "cost €0.00, each in the ledger to the cent. Nothing of it was spent"),
    ],
)
def test_it_tells_what_models_cost_and_what_of_it_nobody_was_paid(costs: dict[str, int], said: str) -> None:
    told = _models(Asked(7, costs))
    assert told.startswith(f"Models: 7 calls {said}")
    assert ("spent" in told) == ("shop" in costs or not costs)
