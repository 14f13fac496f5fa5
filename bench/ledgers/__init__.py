# SPDX-License-Identifier: Apache-2.0
"""Beside hledger, ledger and beancount: the same postings, the same balances, time and memory."""
