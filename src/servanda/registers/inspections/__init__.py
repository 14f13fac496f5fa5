# SPDX-License-Identifier: Apache-2.0
"""Who may inspect whom, what was drawn by lot, what was found, and what was not verified (spec/inspections.md)."""
