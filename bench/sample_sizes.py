# SPDX-License-Identifier: Apache-2.0
"""The whole sweep of sample sizes by the product's own functions: how far the approximations are from the exact size.

N = 1 to 300, every D, beta 0.05, 0.1, 0.5, 0.8. Takes about a minute; the tests count the same sweep in another way.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from servanda.verification.sampling import sample_sizes


def main() -> None:
    approximate: Counter[int] = Counter()
    improved: Counter[int] = Counter()
    for miss in (Fraction(1, 20), Fraction(1, 10), Fraction(1, 2), Fraction(4, 5)):
        for population in range(1, 301):
            for defects in range(1, population + 1):
                sizes = sample_sizes(population, defects, miss)
                approximate[sizes.approximate - sizes.exact] += 1
                improved[sizes.improved - sizes.exact] += 1
    print(f"cases {approximate.total()}")
    print("approximate less exact:", dict(sorted(approximate.items())))
    print("improved less exact:", dict(sorted(improved.items())))


if __name__ == "__main__":
    main()
