# SPDX-License-Identifier: Apache-2.0
"""Options that most commands share, and the asking itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import click

from servanda.assembly import request
from servanda.operations.errors import Refusal, Stopped

F = TypeVar("F", bound=Callable[..., Any])
Result = TypeVar("Result")
TRIES, PAUSE_SECONDS = 25, 0.2
"""How often, and after what pause, a home that another process has open is tried: a command needs a second or two."""


def home_option(function: F) -> F:
    """`--home` and `--passphrase-file`."""
    function = click.option(
        "--passphrase-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File whose first line is the keyring's passphrase; else SERVANDA_PASSPHRASE, else a prompt.",
    )(function)
    return click.option(
        "--home",
        envvar="SERVANDA_HOME",
        type=click.Path(file_okay=False, path_type=Path),
        required=True,
        help="Folder of the centre (or SERVANDA_HOME).",
    )(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def text_of(file: Path, code: str) -> str:
    """The text of a file.

    Raises:
        Refusal: it is not UTF-8 (`code`).
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(f"{file} is not a text in UTF-8: {error}", code) from error


def passphrase_of(file: Path | None, *, prompt: str | None = None, variable: str = "SERVANDA_PASSPHRASE") -> str:
    """The passphrase from a file, the environment, or a prompt.

    Raises:
        Refusal: none was given and nobody is there to ask.
    """
    if file is not None:
        lines = text_of(file, "passphrase").splitlines()
        if not lines or not lines[0]:
            raise Refusal(f"{file} is empty; its first line is the passphrase", "passphrase")
        return lines[0]
    given = os.environ.get(variable)
    if given:
        return given
    if prompt is None or not os.isatty(0):
        raise Refusal(f"no passphrase: give --passphrase-file or set {variable}", "passphrase")
    answer: str = click.prompt(prompt, hide_input=True)
    return answer


def patiently(attempt: Callable[[], Result], pause: Callable[[float], object] = time.sleep) -> Result:
    """Try until no other process has the home open: a command at work there, or a centre that is just starting.

    Raises:
        Stopped: it was open all the time (`two-instances`).
    """
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except Stopped as error:
            if error.code != "two-instances":
                raise
        pause(PAUSE_SECONDS)
    return attempt()


def ask_home(home: Path, passphrase_file: Path | None, command: str, **arguments: Any) -> Any:
    """Ask the centre of a home, on duty or not."""
    message = {"command": command, **{k.replace("_", "-"): v for k, v in arguments.items() if v is not None}}
    passphrase = cache(lambda: passphrase_of(passphrase_file, prompt="Passphrase of the keyring"))
    try:
        return patiently(lambda: request(home, message, passphrase))
    except UnicodeEncodeError as error:  # bytes of the command line that are not UTF-8
        raise Refusal(f"{command}: an argument is not a text in UTF-8: {error}", "usage") from error


def parse_pairs(pairs: tuple[str, ...], separator: str) -> dict[str, str]:
    """`party=value` options as a mapping.

    Raises:
        Refusal: one has not this form.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition(separator)
        if not sign or not name or not value:
            raise Refusal(f"{pair!r} is not of the form party{separator}value", "usage")
        found[name] = value
    return found


def read_json(file: Path) -> Any:
    """What a JSON file says, if it says it to everybody: a member twice or NaN would be read one way or the other."""
    try:
        value = json.loads(file.read_bytes(), object_pairs_hook=_members, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate shows here
        return value
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{file} is not JSON: {error}", "draft") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name in members if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"the member {twice!r} stands there twice")
    return members


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
