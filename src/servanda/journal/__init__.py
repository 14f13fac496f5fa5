# SPDX-License-Identifier: Apache-2.0
"""What was said, in what order, and does it hold together? Entries, heads, acceptance, offers, audit."""
