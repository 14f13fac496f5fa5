# SPDX-License-Identifier: Apache-2.0
"""How the vectors are made. The cases are what counts: nothing here needs to be read to use them."""
