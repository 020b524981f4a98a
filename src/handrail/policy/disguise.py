"""Text without its disguises: what a phrase is looked for in, so that "ｌіｍіｔed" reads as "limited".

Compatibility forms, invisible characters, marks and case are dropped, and letters of other scripts that look
like Latin ones are read as these. Both the phrase and the text go through it; nobody sees the result.
"""

from __future__ import annotations

import unicodedata

import re2

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
_hidden = re2.compile(r"[\p{Mn}\p{Me}\p{Cf}\p{Cc}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{2800}]+")


def undisguised(text: str) -> str:
    """``text`` as a reader takes it, in lower case.

    Raises:
        UnicodeError: it has half a surrogate pair.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    shown = unicodedata.normalize("NFKD", text.translate(_SPACES))
    bare: str = _hidden.sub("", shown)
    # once more, as folding makes new letters to decompose and to read
    folded = unicodedata.normalize("NFKD", bare.translate(CONFUSABLES).casefold())
    return str(_hidden.sub("", folded)).translate(CONFUSABLES)
