# SPDX-License-Identifier: Apache-2.0
"""No deadline for a single example: a busy machine is not a fault."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
