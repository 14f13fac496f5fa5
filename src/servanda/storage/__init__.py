# SPDX-License-Identifier: Apache-2.0
"""Where is it kept?"""
