# SPDX-License-Identifier: Apache-2.0
"""Numbers that come out alike on every machine: fractions, and decimals rounded by integers. No float anywhere.

A rational is written as `"1/20"` in lowest terms, or `"3"`; a decimal as `"0.047887"`, always with all its places.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt

from servanda.verification.errors import VerificationError

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?\Z")
_RATIO = re.compile(r"-?(0|[1-9][0-9]{0,59})(/[1-9][0-9]{0,59})?\Z")

CONTEXT = Context(prec=60)
"""For logarithms and exponentials that only make a first guess, which integers then settle."""


def rational(text: object) -> Fraction:
    """Return the number that a text states, a decimal (`"0.05"`) or a ratio (`"1/20"`), exactly.

    Raises:
        VerificationError: it is neither. A decimal comma, an exponent and thousands separators are refused.
    """
    if isinstance(text, str) and (_DECIMAL.match(text) or _RATIO.match(text)):
        return Fraction(text)
    raise VerificationError(f"{text!r} is not a number: write a decimal such as 0.05 or a ratio such as 1/20")


def ratio_text(value: Fraction | int) -> str:
    """Return a rational in lowest terms: `"-3"`, `"1/20"`."""
    return str(Fraction(value))


def rounded(value: Fraction | int, places: int) -> str:
    """Return a decimal with exactly `places` places, rounded half to even."""
    return _decimal(round(Fraction(value) * 10**places), places)


def rounded_down(value: Fraction | int, places: int) -> str:
    """Return a decimal with exactly `places` places that is not above the value."""
    scaled = Fraction(value) * 10**places
    return _decimal(scaled.numerator // scaled.denominator, places)


def root(value: Fraction | int, places: int) -> Fraction:
    """Return the square root, correctly rounded (half up) to a multiple of 10^-places.

    Raises:
        VerificationError: the value is negative.
    """
    square = Fraction(value) * 100**places
    if square < 0:
        raise VerificationError(f"no square root of {value}, which is negative")
    # floor(x + 1/2) is floor((floor(2x) + 1) / 2), and floor(2x) is the integer root of floor(4 x^2).
    doubled = isqrt(4 * square.numerator // square.denominator)
    return Fraction((doubled + 1) // 2, 10**places)


def _decimal(scaled: int, places: int) -> str:
    sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def compare_power(base: Fraction, exponent: int, bound: Fraction) -> int:
    """Return -1, 0 or 1 as `base**exponent` is less than, equal to or greater than `bound`, exactly.

    Intervals of integers decide; equality is possible only where the power is short enough to be written out.

    Args:
        base: 0 to 1.
        exponent: 1 or more.
        bound: 0 to 1.
    """
    top, bottom = base.numerator, base.denominator
    if exponent <= bound.denominator.bit_length() or bottom == 1 or exponent * bottom.bit_length() <= 512:
        left: int = top**exponent * bound.denominator
        right: int = bound.numerator * bottom**exponent
        return (left > right) - (left < right)
    bits = 96
    while True:
        low, high = power_within(top, bottom, exponent, bits)
        goal = bound.numerator << bits
        if low * bound.denominator > goal:
            return 1
        if high * bound.denominator < goal:
            return -1
        bits *= 2


def power_within(top: int, bottom: int, exponent: int, bits: int) -> tuple[int, int]:
    """Return two integers with `low <= (top/bottom)**exponent * 2**bits <= high`; the base is 0 to 1."""
    low = high = one = 1 << bits
    square_low, square_high = (top << bits) // bottom, -(-(top << bits) // bottom)
    while exponent:
        if exponent & 1:
            low, high = low * square_low >> bits, min(-(-high * square_high >> bits), one)
        exponent >>= 1
        square_low, square_high = square_low * square_low >> bits, min(-(-square_high * square_high >> bits), one)
    return low, high


def guessed_root_complement(bound: Fraction, exponent: int) -> Decimal:
    """Return about `1 - bound**(1/exponent)`; a first guess, to be settled by `compare_power`."""
    ratio = CONTEXT.divide(Decimal(bound.numerator), Decimal(bound.denominator))
    power = CONTEXT.exp(CONTEXT.divide(CONTEXT.ln(ratio), Decimal(exponent)))
    return CONTEXT.subtract(Decimal(1), power)
