# SPDX-License-Identifier: Apache-2.0
"""How does the record read to the programs of others? CAP 1.2, STIX 2.1, TAXII 2.1: bytes and values, no clock."""
