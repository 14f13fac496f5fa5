# SPDX-License-Identifier: Apache-2.0
"""Measurements that a reader can run; ratios within one run, never absolute promises."""
