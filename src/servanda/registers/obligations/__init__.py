# SPDX-License-Identifier: Apache-2.0
"""What is due, by whom, when, and what the record shows."""
