"""Phrase lists: found as whole words through disguises, and nothing else."""

from __future__ import annotations

import pytest

from handrail.policy.disguise import CONFUSABLES, undisguised
from handrail.policy.phrases import finder

FIND = finder(("limited time", "100% guarantee", "$5 off", "żółw", "срок", "free"))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a Limited Time offer", "limited time"),
        ("limited\n\ttime", "limited time"),
        ("limited-time", "limited time"),
        ("limited_time", "limited time"),
        ("limited - time", "limited time"),
        ("limited...time", "limited time"),
        ("ｌｉｍｉｔｅｄ time", "limited time"),
        ("lim\u200bited t\u00adime", "limited time"),
        ("l\u0338imited time", "limited time"),
        ("lіmіtеd tіmе", "limited time"),
        ("lιmιted tιme", "limited time"),
        ("𝐥𝐢𝐦𝐢𝐭𝐞𝐝 𝐭𝐢𝐦𝐞", "limited time"),
        ("LIMİTED TIME", "limited time"),
        ("limıted time", "limited time"),
        ("lim\x08ited time", "limited time"),
        ("limited\u3164 time", "limited time"),
        ("100% GUARANTEE", "100% guarantee"),
        ("only$5 off", "$5 off"),
        ("ŻÓŁW", "żółw"),
        ("zolw", "żółw"),
        ("Срок.", "срок"),
        ("(free)", "free"),
        ("ﬀree free", "free"),
    ],
)
def test_a_phrase_is_found_through_its_disguise(text: str, phrase: str) -> None:
    assert FIND(text) == phrase


@pytest.mark.parametrize(
    "text", ["", "unlimited time", "limited timers", "limited", "freedom", "1100% guarantee", "сроки"]
)
def test_another_text_has_no_phrase(text: str) -> None:
    assert FIND(text) is None


@pytest.mark.parametrize("phrase", ["", "  ", "\u200b", "\u0301"])
def test_a_phrase_with_nothing_in_it_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        finder(("fine", phrase))


def test_a_thousand_phrases_are_one_search() -> None:
    find = finder(tuple(f"phrase number {number}" for number in range(1_000)))
    assert find("this is Phrase  Number 999!") == "phrase number 999"
    assert find("this is phrase number 1000") is None


def test_the_look_alikes_are_small_letters_that_read_as_ascii() -> None:
    assert all(latin.isascii() and chr(other).lower() == chr(other) for other, latin in CONFUSABLES.items())


@pytest.mark.parametrize("text", ["Straße", "ŁÓDŹ", "ﬁ", "ΑΒΓ", "İı", "a\u0301\u0302"])
def test_undressing_twice_changes_nothing_more(text: str) -> None:
    assert undisguised(undisguised(text)) == undisguised(text)
