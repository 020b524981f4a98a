"""The one style sheet: short, and readable by day and by night, as WCAG AA measures it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import handrail.server

STATIC = Path(handrail.server.__file__).parent / "static"
SHEETS = [path.read_text("utf-8") for path in sorted(STATIC.glob("*.css"), reverse=True)]
CSS = "\n".join(SHEETS)
SCRIPTS = [path.read_text("utf-8") for path in STATIC.glob("*.js")]
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "board.md"
OUTCOMES = {"ran": "green", "asked": "amber", "denied": "red", "only recorded": "soft"}
"""The name of each outcome's colour in the style sheet."""
TEXT = 4.5
"""The contrast that text needs against what is behind it."""
PAIRS = [
    (ink, paper) for paper in ("paper", "card", "code", "green-paper", "red-paper") for ink in ("ink", "soft")
] + [
    ("blue", "paper"),
    ("blue", "card"),
    ("amber", "paper"),
    ("green", "paper"),
    ("red", "paper"),
    ("on", "blue"),
    ("on", "green"),
    ("on", "red"),
    ("soft", "card"),
    ("amber", "card"),
    ("green", "card"),
    ("red", "card"),
    ("red", "red-paper"),
    ("amber", "amber-paper"),
    ("card", "amber"),
    ("on-band", "band"),
]


def colours(block: str) -> dict[str, str]:
    """The named colours of a block."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))


def themes() -> tuple[dict[str, str], dict[str, str]]:
    """By day and by night: in each sheet the first block is the day's and the second the night's."""
    day: dict[str, str] = {}
    night: dict[str, str] = {}
    for sheet in SHEETS:
        for theme, block in zip((day, night), re.findall(r":root \{(.*?)\}", sheet, re.DOTALL), strict=False):
            theme.update(colours(block))
    return day, night


LIGHT, DARK = themes()


def brightness(colour: str) -> float:
    """How bright a colour is, from 0 to 1."""
    digits = colour.removeprefix("#")
    whole = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = (int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Between 1 and 21."""
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_style_sheets_stay_short_and_ask_nobody_else() -> None:
    assert len(CSS.splitlines()) <= 800
    assert "@import" not in CSS
    assert "url(" not in CSS


def test_the_scripts_stay_short_and_make_no_markup() -> None:
    assert sum(len(each.splitlines()) for each in SCRIPTS) <= 500
    for each in SCRIPTS:
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ):
            assert word not in each


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["day", "night"])
@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
def test_text_can_be_read(theme: dict[str, str], pair: tuple[str, str]) -> None:
    ink, paper = pair
    assert contrast(theme[ink], theme[paper]) >= TEXT


def test_the_measure_knows_black_from_white() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#777777") == 1


def rows(text: str) -> dict[str, list[str]]:
    """The table of outcomes in the design, by outcome: shape, colour and contrast by day and by night."""
    found = re.findall(
        r"^\| ([a-z ]+) \| ([a-z ]+) \| `(#\w+)` \| ([\d.]+) \| `(#\w+)` \| ([\d.]+) \|$", text, re.MULTILINE
    )
    return {outcome: list(cells) for outcome, *cells in found}


def test_the_designs_table_of_outcomes_is_what_the_style_sheets_say() -> None:
    """Colours and contrasts are computed; whoever changes one is told what the page must say."""
    told = rows(PAGE.read_text("utf-8"))
    assert list(told) == list(OUTCOMES)
    for outcome, name in OUTCOMES.items():
        day, night = LIGHT[name], DARK[name]
        white, card = contrast(day, LIGHT["card"]), contrast(night, DARK["card"])
        assert told[outcome][1:] == [day, f"{white:.1f}", night, f"{card:.1f}"], outcome


def test_the_designs_text_colours_are_those_of_the_style_sheets() -> None:
    said = f"Text is `{LIGHT['ink']}` on `#ffffff` by day and `{DARK['ink']}` on `{DARK['card']}` by night."
    assert said in PAGE.read_text("utf-8").replace("\n", " ")
    assert LIGHT["card"] == "#fff"


def test_a_table_that_is_not_true_is_seen() -> None:
    """The twin."""
    told = rows(PAGE.read_text("utf-8").replace(LIGHT["green"], "#123456"))
    assert told["ran"][1] != LIGHT["green"]
