# SPDX-License-Identifier: Apache-2.0
"""What can be said? Packs: parties, formats, items, obligations, and how a pack is checked."""
