# SPDX-License-Identifier: Apache-2.0
"""Tables of any size: read from files, checked by the column, sealed, kept as Parquet, and asked through DuckDB."""
