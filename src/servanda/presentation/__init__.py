# SPDX-License-Identifier: Apache-2.0
"""Report documents as files that people already use: PDF, XLSX, CSV, Parquet. No figure is computed here."""
