# SPDX-License-Identifier: Apache-2.0
"""`python -m servanda` is the command `servanda`."""

from servanda.cli.main import main

if __name__ == "__main__":
    main()
