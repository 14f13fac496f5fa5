# SPDX-License-Identifier: Apache-2.0
"""Values that canonical JSON can say, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from servanda.proof import canonical

NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
WHOLE_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)


def values(names):
    """Values whose objects have members of these names."""
    return st.recursive(
        st.none() | st.booleans() | INTEGERS | WHOLE_TEXTS,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
        max_leaves=20,
    )


VALUES = values(NAMES)
