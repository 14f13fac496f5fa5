# SPDX-License-Identifier: Apache-2.0
"""No deadline for a single example: a busy machine is not a fault."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
