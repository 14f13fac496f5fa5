# SPDX-License-Identifier: Apache-2.0
"""The one root of what this floor raises for bytes that do not prove what they should."""

from __future__ import annotations


class ProofError(ValueError):
    """Bytes are malformed, or do not prove what they claim. Refuse them; nothing else has happened."""
