# SPDX-License-Identifier: Apache-2.0
"""Amounts as people read them in their language: exact decimals, never a float."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEPARATORS = {"en": (",", "."), "fr": ("\u202f", ","), "ru": ("\u00a0", ","), "ar": (",", "."), "es": ("\u00a0", ",")}
"""For each language the sign between thousands, and the decimal sign. Digits are 0 to 9 in all of them."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def integer_text(number: int, language: str) -> str:
    """A whole number with the language's sign between thousands."""
    return f"{number:,}".replace(",", SEPARATORS.get(language, SEPARATORS["en"])[0])


def decimal_text(amount: int, exponent: int, language: str) -> str:
    """`amount` divided by 10 to the `exponent`, without trailing zeros: 19800000 by 6 as `19.8`."""
    whole, rest = divmod(abs(amount), 10**exponent)
    decimals = f"{rest:0{exponent}d}".rstrip("0") if exponent else ""
    sign = "\u2212" if amount < 0 else ""
    point = SEPARATORS.get(language, SEPARATORS["en"])[1]
    return sign + integer_text(whole, language) + (point + decimals if decimals else "")


def amount_text(cell: Mapping[str, Any], units: Mapping[str, Any], words: Mapping[str, str], language: str) -> str:
    """An amount cell in words and figures: `about 1,230 pcs`, `not stated`."""
    if cell["amount"] is None:
        return words["not-stated"]
    unit = units.get(cell["unit"], {"exponent": 0, "symbol": cell["unit"]})
    text = decimal_text(cell["amount"], unit["exponent"], language)
    if "to" in cell:
        text = words["to"].format(text, decimal_text(cell["to"], unit["exponent"], language))
    qualifier = cell.get("qualifier", "exact")
    text = f"{text}\u00a0{unit['symbol']}"
    return text if qualifier == "exact" else words[f"q-{qualifier}"].format(text)
