"""The journal's pure part: what an entry holds, how it is sealed, and how the seal is verified."""

from __future__ import annotations
