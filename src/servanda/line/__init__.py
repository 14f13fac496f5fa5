# SPDX-License-Identifier: Apache-2.0
"""Who was told, and who has it?"""
