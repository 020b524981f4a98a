"""Facts from a function of the application."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.facts.python import PythonFact, function_named
from handrail.words.fact import Failed


def test_its_value_is_what_the_function_returns_for_the_parameters() -> None:
    fact = PythonFact("builtins:dict")
    assert fact({"tier": "vip", "debt": 0.1}) == {"tier": "vip", "debt": Decimal("0.1")}


def test_none_means_that_there_is_no_such_thing() -> None:
    assert PythonFact("builtins:print")({"end": ""}) == Failed("nothing was found")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no.such.module:f", "can't be imported"),
        ("builtins:nothing", "can't be imported"),
        ("builtins", "can't be imported"),
        (":f", "can't be imported"),
        ("sys:maxsize", "is no function"),
    ],
)
def test_a_name_of_no_function_is_refused_when_the_rail_opens(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        function_named(name)
    assert function_named("builtins:dict") is dict
