# SPDX-License-Identifier: Apache-2.0
"""The life of seals and tags."""
