"""Text without its disguises: what a phrase is looked for in, so that "ｌіｍіｔed" reads as "limited".

Compatibility forms, invisible characters, marks and case are dropped, and letters of other scripts that look
like Latin ones are read as these. Both the phrase and the text go through it; nobody sees the result.
"""

from __future__ import annotations

import unicodedata

# A small part of Unicode's confusables (UTS 39, confusables.txt): small letters that pass for Latin ones.
_CYRILLIC = ("абвгеѕзікмнорстухһјԁԛԝѵ", "a6bres3ikmhopctyxhjdqwv")
_GREEK = ("αβγεικνορστυχωϲϳ", "abyeikvopotuxwcj")
_LATIN = ("ıɩɪȷɑɡɢɴʀʏøłđħŧɨʉƅſℓ", "iiijaggnryoldhtiubsl")
_ARMENIAN = ("օոսցհզ", "onughq")
CONFUSABLES = {
    ord(other): latin
    for others, latins in (_CYRILLIC, _GREEK, _LATIN, _ARMENIAN)
    for other, latin in zip(others, latins, strict=True)
}
"""A look-alike letter's code point, and the Latin letter that it passes for."""

_SPACES = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85", " "))
# Hangul fillers and the empty Braille pattern are letters and symbols by name, and blank on the page.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_HIDDEN = frozenset({"Mn", "Me", "Cf", "Cc"})


class _Reading(dict[int, int | str | None]):
    """How each character of one text is read: not at all, as a Latin letter, or as itself."""

    def __missing__(self, code: int) -> int | str | None:
        char = chr(code)
        hidden = char in _BLANK or unicodedata.category(char) in _HIDDEN
        self[code] = None if hidden else CONFUSABLES.get(code, code)
        return self[code]


def undisguised(text: str) -> str:
    """``text`` as a reader takes it, in lower case."""
    if text.isascii() and text.isprintable():
        return text.lower()
    reading = _Reading()
    shown = unicodedata.normalize("NFKD", text.translate(_SPACES)).translate(reading)
    # once more, as folding makes new letters to take apart and to read
    return unicodedata.normalize("NFKD", shown.casefold()).translate(reading)
