# SPDX-License-Identifier: Apache-2.0
"""How much must be looked at, what is drawn, and what do the figures say? Exact methods, the same digits everywhere."""
