"""What an entry may hold: redacted, short, and always JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import msgspec
import pytest

from handrail.journal.redaction import MAX_DEPTH, MAX_TEXT, MAX_VALUES, REDACTED, Redactor

SECRET = "4111-1111-1111-1111"


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("args.card", {"card": SECRET, "n": 1}, {"card": REDACTED, "n": 1}),
        ("args.card", {"card": {"number": SECRET}}, {"card": REDACTED}),
        ("args.card.number", {"card": {"number": SECRET, "n": 1}}, {"card": {"number": REDACTED, "n": 1}}),
        (
            "args.cards[*].number",
            {"cards": [{"number": SECRET}, {"n": 1}]},
            {"cards": [{"number": REDACTED}, {"n": 1}]},
        ),
        ("args.cards.number", {"cards": [{"number": SECRET}]}, {"cards": [{"number": REDACTED}]}),
        ("args.cards.number", {"cards": [[{"number": SECRET}]]}, {"cards": [[{"number": REDACTED}]]}),
        ("args.cards[*]", {"cards": [SECRET]}, {"cards": REDACTED}),
        (
            "args.*.number",
            {"a": {"number": SECRET}, "b": {"n": 1}},
            {"a": {"number": REDACTED}, "b": {"n": 1}},
        ),
        ("args.*", {"a": SECRET, "b": 1}, {"a": REDACTED, "b": REDACTED}),
        ("args", {"a": SECRET}, REDACTED),
        ("args.card number", {"card number": SECRET}, {"card number": REDACTED}),
        ("args.7", {7: SECRET}, {"7": REDACTED}),
    ],
    ids=str,
)
def test_a_path_redacts_what_it_names_and_nothing_else(path: str, value: object, kept: object) -> None:
    assert Redactor((path,)).redact("args", value) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"card": SECRET}, {"card": REDACTED}),
        ({"card": 4111}, {"card": REDACTED}),
        ({"card": [SECRET]}, {"card": [REDACTED]}),
        (SECRET, REDACTED),
        ([SECRET], [REDACTED]),
        ({"card": None}, {"card": None}),
        ({"card": True}, {"card": True}),
    ],
    ids=str,
)
def test_a_value_that_stands_where_a_structure_was_expected_is_redacted(value: object, kept: object) -> None:
    """A card given as text, or an output that is JSON in a string, may hold what the path meant to hide."""
    assert Redactor(("output.card.number",)).redact("output", value) == kept


def test_each_root_has_paths_of_its_own() -> None:
    redactor = Redactor(("args.a", "output.b", "facts.customer.email"))
    value = {"a": 1, "b": 2, "customer": {"email": "x@example.com", "tier": "small"}}
    assert redactor.redact("args", value) == value | {"a": REDACTED}
    assert redactor.redact("output", value) == value | {"b": REDACTED}
    assert redactor.redact("facts", value) == value | {"customer": {"email": REDACTED, "tier": "small"}}


@pytest.mark.parametrize("paths", [("args.card", "args.card.number"), ("args.card.number", "args.card")])
def test_the_shorter_of_two_paths_holds_whichever_comes_first(paths: tuple[str, ...]) -> None:
    assert Redactor(paths).redact("args", {"card": {"number": 1, "name": 2}}) == {"card": REDACTED}


def test_a_star_and_a_name_hold_together() -> None:
    redactor = Redactor(("args.*.a", "args.x.b"))
    assert redactor.redact("args", {"x": {"a": 1, "b": 2, "c": 3}}) == {
        "x": {"a": REDACTED, "b": REDACTED, "c": 3}
    }


@pytest.mark.parametrize(
    "path",
    [
        "",
        "card",
        "arg.card",
        "args.",
        "args..card",
        "args.items[0]",
        "args[*]card",
        "args. card",
        "args.card ",
        ".args",
    ],
)
def test_a_path_that_could_never_redact_anything_is_refused(path: str) -> None:
    """A typing error in a path must not leave a secret in the log."""
    with pytest.raises(ValueError, match="redact path"):
        Redactor((path,))


def test_a_root_that_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        Redactor().redact("arguments", {"a": 1})


def test_plain_small_arguments_are_passed_on_as_they_are() -> None:
    value = {"order_id": "o-17", "amount": 40, "gift": False, "note": None}
    assert Redactor(("output.x",)).redact("args", value) is value


def test_order_and_exact_numbers_are_kept() -> None:
    value = {"z": Decimal("1.50"), "a": [1, 2.5, -3], "ł": "zażółć"}
    kept = Redactor().redact("args", value)
    assert isinstance(kept, dict)
    assert list(kept.items()) == list(value.items())


def test_what_went_in_is_not_altered() -> None:
    value = {"card": {"number": SECRET}}
    Redactor(("args.card.number",)).redact("args", value)
    assert value == {"card": {"number": SECRET}}


def test_a_read_only_mapping_is_gone_through_like_any_other() -> None:
    value = MappingProxyType({"card": MappingProxyType({"number": SECRET})})
    assert Redactor(("args.card.number",)).redact("args", value) == {"card": {"number": REDACTED}}


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    kept = Redactor().redact("output", {"body": "x" * 53_412, "exact": "y" * MAX_TEXT})
    assert kept == {"body": "x" * MAX_TEXT + "… [cut: 53,412 characters]", "exact": "y" * MAX_TEXT}


def test_a_long_list_is_cut_and_says_how_much_is_missing() -> None:
    kept = Redactor().redact("output", list(range(1_000_000)))
    assert isinstance(kept, list)
    assert kept[-1] == f"[cut: {1_000_001 - MAX_VALUES:,} more]"
    assert len(kept) == MAX_VALUES


def test_many_fields_are_cut_and_say_how_many_are_missing() -> None:
    kept = Redactor().redact("output", {str(n): n for n in range(5_000)})
    assert isinstance(kept, dict)
    assert kept["…"] == f"[cut: {5_001 - MAX_VALUES:,} more]"


def test_what_is_nested_too_deep_is_cut_even_when_it_contains_itself() -> None:
    loop: list[object] = []
    loop += [loop, loop]
    text = str(Redactor().redact("output", loop))
    assert "[cut: too deep]" in text
    assert text.count("[") < 2 * MAX_VALUES + 10 * MAX_DEPTH


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"abc", "[3 bytes]"),
        (datetime(2026, 11, 1, tzinfo=UTC), "[datetime]"),
        ({1, 2}, "[set]"),
        (float("nan"), "nan"),
        (Decimal("sNaN"), "sNaN"),
        (Decimal("Infinity"), "Infinity"),
        (10**5000, "[number of 16,610 bits]"),
        ({"n": 10**5000}, {"n": "[number of 16,610 bits]"}),
        (Decimal("1" * 3000), "1" * MAX_TEXT + "… [cut: 3,000 characters]"),
        ("a\ud800b", "a\\ud800b"),
        ({"\ud800": 1}, {"\\ud800": 1}),
        ({None: 1, True: 2, 1.5: 3}, {"None": 1, "True": 2, "1.5": 3}),
        ((1, 2), [1, 2]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_tool_returns_can_be_written(value: object, kept: object) -> None:
    """After a tool ran, the entry must not fail on its output."""
    result = Redactor().redact("output", value)
    assert result == kept
    msgspec.json.encode(result)
