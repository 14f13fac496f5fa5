# SPDX-License-Identifier: Apache-2.0
"""What was promised, by whom, and how does each party mark what became of it? (spec/dialogue.md, Commitments)."""
