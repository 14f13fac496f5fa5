# SPDX-License-Identifier: Apache-2.0
"""Hypothesis: the gate tries the same examples in every run; `HYPOTHESIS_PROFILE=explore` looks for new ones.

No deadline for a single example: a busy machine is not a fault.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
