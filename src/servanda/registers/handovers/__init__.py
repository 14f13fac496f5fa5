# SPDX-License-Identifier: Apache-2.0
"""What is on its way, what each side has counted, and what differs."""
