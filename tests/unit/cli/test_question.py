"""A question shows what will run; the agent's own words can't push it off the screen."""

from __future__ import annotations

from handrail.cli.sheets import LONGEST_SAID, said


def test_a_long_rationale_is_cut_to_a_line_that_says_how_long_it_was() -> None:
    """Twenty thousand line breaks are twenty thousand lines of nothing above the prompt."""
    shown = said("please approve\n" * 1_000)
    assert "\n" not in shown
    assert len(shown) < LONGEST_SAID + 100
    assert "characters in all (the agent's own word)" in shown


def test_a_short_rationale_is_shown_whole() -> None:
    """Nothing of it is lost."""
    assert said("The parcel\nwas late.") == "The parcel / was late. (the agent's own word)"
