# SPDX-License-Identifier: Apache-2.0
"""An operator at a terminal: the command `servanda` as a process, in a home, with nothing in its environment."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from servanda.cli.main import main
from servanda.proof.canonical import encode
from tests.rig.packs import lake

ERROR = re.compile(r"servanda: ([a-z/-]+): [^\n]+\n")
CODES = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md").read_text()
PATIENCE_SECONDS = 120.0
PASSPHRASE = "correct horse battery"


class Said(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def environment(home: Path | None) -> dict[str, str]:
    """An environment with nothing of ours in it but the home."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | ({"SERVANDA_HOME": str(home)} if home else {})


def servanda(*arguments: object, home: Path | None = None, cwd: Path | None = None) -> Said:
    """Run the command to its end, as a process of its own."""
    command = [sys.executable, "-m", "servanda", *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(home), cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
    )
    return Said(done.returncode, done.stdout, done.stderr)


def spoken(*arguments: object, home: Path | None = None) -> Said:
    """Run the command within this process, from `main` to its exit: the same words, many times as fast."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["servanda", *map(str, arguments)]),
        mock.patch.dict(os.environ, environment(home), clear=True),
        mock.patch("os.isatty", return_value=False),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return Said(status, out.getvalue(), err.getvalue())


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pack_file(folder: Path, *parties: str, **settlement: Any) -> Path:
    """The lake's pack as a compiled file."""
    file = folder / "lake.json"
    if not file.exists():
        file.write_bytes(encode(lake(parties or ("ash", "birch"), **settlement).data))
    return file


class Operator:
    """Who sits at the terminal of one centre."""

    def __init__(self, folder: Path, party: str, pack: Path) -> None:
        self.party, self.folder, self.pack = party, folder, pack
        self.home = folder / party
        self.secret = folder / "passphrase.txt"
        self.secret.write_text(PASSPHRASE + "\n")
        self.fingerprint = ""
        self.speaks = spoken
        """How commands are run: within this process, or as processes."""
        self.duty: subprocess.Popen[str] | None = None

    def run(self, command: str, *arguments: object) -> Said:
        """One command in this home; the passphrase comes from its file."""
        return self.speaks(command, "--passphrase-file", self.secret, *arguments, home=self.home)

    def does(self, command: str, *arguments: object) -> str:
        """A command that succeeds and has nothing to complain about; what it prints."""
        done = self.run(command, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def reads(self, command: str, *arguments: object) -> Any:
        """What a reading command says as JSON."""
        return json.loads(self.does(command, *arguments, "--json"))

    def refused(self, status: int, code: str, command: str, *arguments: object) -> str:
        """A command that ends with one line of error, this status and this code; the line."""
        return refused(self.run(command, *arguments), status, code)

    def init(self, *more: object) -> None:
        """Make the centre, with a passphrase of its own for the root keys."""
        roots = self.folder / f"{self.party}-root.txt"
        roots.write_text("offline\n")
        arguments = ("--pack", self.pack, "--party", self.party, "--port", free_port(), "--root-passphrase-file", roots)
        self.fingerprint = json.loads(self.does("init", *arguments, *more, "--json"))["fingerprint"]

    def card(self) -> Path:
        """Our card as a file."""
        file = self.folder / f"{self.party}-card.json"
        self.does("card", "--output", file)
        return file

    def meets(self, other: Operator) -> None:
        """Take the card of another operator whose fingerprint was compared in person."""
        self.does("meet", other.card(), "--fingerprint", other.fingerprint)

    def writes(self, form: str, content: Mapping[str, Any], **members: Any) -> Path:
        """A draft as a file."""
        draft = {"format": form, "subject": form, "event-at": "2014-01-10", "author": "desk-1", "content": content}
        draft |= {name.replace("_", "-"): value for name, value in members.items()}
        file = self.folder / f"{self.party}-draft.json"
        file.write_text(json.dumps(draft))
        return file

    def says(self, form: str, content: Mapping[str, Any], **members: Any) -> str:
        """Draft, submit and release; the entry that it became."""
        identifier = self.does("draft", self.writes(form, content, **members)).strip()
        assert self.does("submit", identifier) == ""
        return self.does("release", identifier, "--as", "release-1").strip()

    def serve(self) -> None:
        """Put the centre on duty."""
        command = [sys.executable, "-m", "servanda", "serve", "--home", str(self.home)]
        command += ["--passphrase-file", str(self.secret)]
        log = (self.folder / f"{self.party}.log").open("a")
        with log:
            self.duty = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.duty.stdout is not None
        first = self.duty.stdout.readline()
        assert first.startswith(f"{self.party} on duty at https://127.0.0.1:"), self.log()

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process on duty; its exit status."""
        assert self.duty is not None
        assert self.duty.stdout is not None
        self.duty.send_signal(number)
        status = self.duty.wait(timeout=60)
        self.duty.stdout.close()
        self.duty = None
        return status

    def dies(self) -> None:
        """Nothing of this centre runs any more."""
        if self.duty is not None:
            self.ends(signal.SIGKILL)

    def log(self) -> str:
        """What the process on duty has complained about."""
        return (self.folder / f"{self.party}.log").read_text()


def refused(done: Said, status: int, code: str) -> str:
    """The one line of an error with this exit status and code."""
    assert done.returncode == status, (done.stdout, done.stderr)
    match = ERROR.fullmatch(done.stderr)
    assert match is not None, done.stderr
    assert match[1] == code, done.stderr
    assert f"\n### {code}\n" in CODES, f"{code} is not explained in docs/reference/errors.md"
    return done.stderr


def eventually(look: Callable[[], bool]) -> None:
    """Look again until it is so; each look asks a centre, which takes its time."""
    begun = time.monotonic()
    while not look():
        assert time.monotonic() - begun < PATIENCE_SECONDS, f"it did not come to pass within {PATIENCE_SECONDS} seconds"
