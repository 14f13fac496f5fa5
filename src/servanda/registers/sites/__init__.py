# SPDX-License-Identifier: Apache-2.0
"""Access to places, as each party states it."""
