# SPDX-License-Identifier: Apache-2.0
"""A dossier verifies without a network, without a home, on any path and under any name."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from servanda.cli.main import servanda
from tests.dossier.forgery import ROOT, dossier, pins, stand_alone


def no_network(*_args: Any, **_named: Any) -> NoReturn:
    raise AssertionError("a verifier asked for a socket")


def moved(folder: Path) -> tuple[Path, Path]:
    """The dossier under another name in a folder with a name of its own, and the file of fingerprints."""
    folder = folder / "von der Reise zurück"
    folder.mkdir()
    file, listing = folder / "Kopie (2).bin", folder / "prints.txt"
    file.write_bytes(dossier())
    listing.write_text("".join(f"{party}={found}\n" for party, found in pins().items()))
    return file, listing


def test_both_verify_in_a_process_that_may_open_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, listing = moved(tmp_path)
    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    done = CliRunner().invoke(servanda, ["verify", str(file), "--parties", str(listing), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["verified"]
    arguments = [f"--party={party}={found}" for party, found in pins().items()]
    assert stand_alone().main([str(file), *arguments]) == 0


def test_both_verify_as_programs_in_another_folder_with_an_empty_environment(tmp_path: Path) -> None:
    file, listing = moved(tmp_path)
    arguments = [f"--party={party}={found}" for party, found in pins().items()]
    clean = {"PATH": os.environ["PATH"]}
    for command in (
        [sys.executable, "-m", "servanda", "verify", file.name, "--parties", listing.name],
        [sys.executable, "-I", str(ROOT / "verifier" / "verify.py"), file.name, *arguments],
    ):
        done = subprocess.run(command, cwd=file.parent, env=clean, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "verified" in done.stdout.lower()
        assert "complete to entry 6 of journal ash, as of 2026-01-04T00:00:00Z" in done.stdout


def test_a_read_only_dossier_is_left_as_it_was(tmp_path: Path) -> None:
    file, listing = moved(tmp_path)
    file.chmod(0o400)
    before = sorted(tmp_path.rglob("*"))
    assert CliRunner().invoke(servanda, ["verify", str(file), "--parties", str(listing)]).exit_code == 0
    assert (sorted(tmp_path.rglob("*")), file.read_bytes()) == (before, dossier())
