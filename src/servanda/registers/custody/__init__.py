# SPDX-License-Identifier: Apache-2.0
"""Who holds what, where, in what condition."""
