# SPDX-License-Identifier: Apache-2.0
"""The command `servanda`.

Exit status: 0 done; 1 the check found something wrong; 2 bad input or usage; 3 try again later; 4 stopped, the state
needs a person.
"""

from __future__ import annotations

import sys

import click

from servanda import __version__
from servanda.agreement.errors import PackError
from servanda.cli import (
    agreements,
    ahead,
    authoring,
    bookkeeping,
    calendars,
    checking,
    demo,
    desk,
    dialogue,
    duty,
    evidence,
    holdings,
    inspecting,
    interchange,
    line,
    linework,
    reconciling,
    report,
    reviews,
    tables,
    watch,
)
from servanda.cli.printing import plain
from servanda.operations.errors import ServandaError
from servanda.proof.errors import ProofError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="servanda")
def servanda() -> None:
    """A direct line between parties who do not trust each other, and one record that any of them can prove."""


_MODULES = (
    checking,
    authoring,
    duty,
    desk,
    dialogue,
    agreements,
    bookkeeping,
    watch,
    line,
    linework,
    ahead,
    interchange,
    tables,
    inspecting,
    evidence,
    holdings,
    reviews,
    calendars,
    report,
    reconciling,
    demo,
)
for _module in _MODULES:
    for _command in _module.COMMANDS:
        servanda.add_command(_command)


def main() -> None:
    """Run the command; every error is one clear line with its code, never a traceback."""
    try:
        sys.exit(servanda(standalone_mode=False) or 0)  # click hands back the status of a check that failed
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except ServandaError as error:
        click.echo(plain(f"servanda: {error.code}: {error}"), err=True)
        sys.exit(error.exit_status)
    except PackError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)
    except ProofError as error:
        click.echo(plain(f"servanda: malformed: {error}"), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"servanda: {error.strerror or error}: {error.filename or ''}", err=True)
        sys.exit(2)
