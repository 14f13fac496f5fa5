# SPDX-License-Identifier: Apache-2.0
"""Which serial numbers could one person read as one? Case, spaces and look-alike letters (after Unicode's UTS #39).

A skeleton is what is left when these differences are taken away. Two serials with one skeleton are flagged, never
refused and never joined: people decide.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

_ALIKE = {"0": "o", "1": "l", "i": "l", "|": "l"}
"""What ASCII itself offers: zero and o, one and l and i."""


def skeleton(serial: str) -> str:
    """The skeleton of one serial: compatible forms made one, look-alikes by their ASCII likeness, no case, no space."""
    plain = "".join(_likeness(letter) for letter in unicodedata.normalize("NFKC", serial))
    plain = unicodedata.normalize("NFKC", plain.casefold())
    return "".join(_ALIKE.get(letter, letter) for letter in plain if not letter.isspace())


@lru_cache(maxsize=4096)
def _likeness(letter: str) -> str:
    """The ASCII letter or digit for which a letter can be taken, by the published table; itself if there is none."""
    from confusable_homoglyphs.confusables import confusables_data  # slow to import: the table is a large file

    if letter.isascii():
        return letter
    likes = [like["c"] for like in confusables_data.get(letter, ())]
    return next((like for like in likes if like.isascii() and like.isalnum()), letter)


def skeletons(serials: pa.Array) -> pa.Array:
    """The skeletons of a column; null stays null."""
    plain = pc.replace_substring_regex(pc.utf8_lower(serials), r"[ \t]+", "")
    for letter, like in _ALIKE.items():
        plain = pc.replace_substring(plain, letter, like)
    foreign = pc.fill_null(pc.invert(pc.string_is_ascii(serials)), False)
    if not pc.any(foreign).as_py():
        return plain
    texts = pc.filter(serials, foreign).to_pylist()
    return pc.replace_with_mask(plain, foreign, pa.array([skeleton(text) for text in texts], pa.string()))
