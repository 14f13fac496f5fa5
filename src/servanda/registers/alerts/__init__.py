# SPDX-License-Identifier: Apache-2.0
"""Which alerts and inquiries are open, who has read them, and which clock runs? (spec/alerts.md)."""
