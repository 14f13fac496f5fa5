# SPDX-License-Identifier: Apache-2.0
"""One acceptance test for each thing that the two source documents describe; see docs/reference/seed-coverage.md."""
