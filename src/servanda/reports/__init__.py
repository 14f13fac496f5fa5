# SPDX-License-Identifier: Apache-2.0
"""Reports as documents: pure functions of the record, the period and the language (docs/reference/reports.md)."""
