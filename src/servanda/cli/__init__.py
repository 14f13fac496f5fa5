# SPDX-License-Identifier: Apache-2.0
"""Who is asking? A person or a program at a terminal."""
