# SPDX-License-Identifier: Apache-2.0
"""The same message of 1 KiB through other systems, each with its own promises (bench/peers/run.py)."""
