# SPDX-License-Identifier: Apache-2.0
"""One process for whatever does not fit, from open until both sides have closed it."""
