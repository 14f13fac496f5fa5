# SPDX-License-Identifier: Apache-2.0
"""A store in memory, for tests, simulation and short-lived readers."""
