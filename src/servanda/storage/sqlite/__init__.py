# SPDX-License-Identifier: Apache-2.0
"""A store in one SQLite file."""
