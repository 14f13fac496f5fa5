# SPDX-License-Identifier: Apache-2.0
"""Which texts are offered, who has accepted which, what is in force, and what is missing? (spec/dialogue.md)."""
