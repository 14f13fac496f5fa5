# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a question to a method, or with what claims to be a draw."""

from __future__ import annotations


class VerificationError(ValueError):
    """The values are outside what the method is for, or do not fit together. The message says which, and what fits."""
