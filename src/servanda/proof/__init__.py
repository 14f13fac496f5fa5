# SPDX-License-Identifier: Apache-2.0
"""Can it be proved? Canonical bytes, envelopes, Merkle trees, signed notes, seals. No clock, disk or socket."""
