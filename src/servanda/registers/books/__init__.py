# SPDX-License-Identifier: Apache-2.0
"""What each party says of what a party has: books side by side."""
