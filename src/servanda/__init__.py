# SPDX-License-Identifier: Apache-2.0
"""Servanda: a direct line between parties who do not trust each other, and one record that any of them can prove."""

__version__ = "0.1.0"
