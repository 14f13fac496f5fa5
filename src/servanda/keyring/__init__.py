# SPDX-License-Identifier: Apache-2.0
"""With what is it signed?"""
