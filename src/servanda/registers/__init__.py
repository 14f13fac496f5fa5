# SPDX-License-Identifier: Apache-2.0
"""What follows from the record? Folds that can be thrown away and rebuilt."""
