# SPDX-License-Identifier: Apache-2.0
"""What may be done? Draft, release, receive, acknowledge, rebuild: transactions and ports."""
