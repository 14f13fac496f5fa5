# SPDX-License-Identifier: Apache-2.0
"""Who met whom, what did each say in its own words, what was agreed, who is to do what? (spec/dialogue.md)."""
