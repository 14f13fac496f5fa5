# SPDX-License-Identifier: Apache-2.0
"""A centre on duty, as a process: its webhooks are told, after a kill too; secrets that others can read keep it off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interchange.test_webhooks import SECRET, Sink
from tests.journeys.terminal import Operator, eventually, pack_file, refused


@pytest.fixture
def ash() -> Iterator[Operator]:
    """A new centre; its folder has a short name, for the control socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="duty-", ignore_cleanup_errors=True) as folder:
        operator = Operator(Path(folder), "ash", pack_file(Path(folder)))
        operator.init()
        yield operator
        operator.dies()


def listed(sink: Sink, operator: Operator, mode: int = 0o600) -> None:
    file = operator.home / "webhooks.toml"
    file.write_text(f'[[webhook]]\nname = "duty-room"\nurl = "{sink.url}"\nsecret = "{SECRET}"\n')
    file.chmod(mode)


def test_the_process_on_duty_tells_its_webhooks_and_goes_on_after_a_kill(ash: Operator) -> None:
    sink = Sink()
    sink.answers = [503] * 10_000
    listed(sink, ash)
    ash.refused(3, "not-running", "webhooks")
    ash.serve()
    said = ash.says("adopt", {"pack": ash.reads("status")["agreement"]})
    eventually(lambda: bool(ash.reads("webhooks")[0]["trouble"]))
    assert ash.reads("webhooks") == [
        {"name": "duty-room", "url": sink.url, "waiting": 1, "trouble": "line-down: duty-room answered 503"}
    ]
    ash.dies()
    sink.answers.clear()
    before = sink.taken[0]
    sink.taken.clear()
    ash.serve()
    eventually(lambda: bool(sink.taken))
    assert sink.entries()[0] == said
    assert sink.taken[0].headers["webhook-id"] == before.headers["webhook-id"]
    eventually(lambda: ash.reads("webhooks")[0]["waiting"] == 0)
    assert "duty-room" in ash.does("webhooks")
    assert ash.ends() == 0
    sink.close()


def test_secrets_that_others_can_read_keep_a_centre_off_duty(ash: Operator) -> None:
    sink = Sink()
    listed(sink, ash, 0o644)
    assert "chmod 600" in ash.refused(2, "file-mode", "serve")
    listed(sink, ash)
    ash.refused(2, "tokens", "serve", "--taxii", "127.0.0.1:0")
    (ash.home / "taxii-tokens").write_text("cert a-token-of-20-characters-or-more\n")
    ash.refused(2, "file-mode", "serve", "--taxii", "127.0.0.1:0")
    (ash.home / "taxii-tokens").chmod(0o600)
    ash.refused(2, "not-local", "serve", "--taxii", "192.0.2.1:0")
    ash.refused(2, "usage", "serve", "--taxii", "here")
    sink.close()


def test_a_file_that_is_too_large_or_wrong_is_refused_in_one_line(ash: Operator) -> None:
    wish = ("--format", "ask", "--class", "urgent", "--to", "birch", "--as", "desk-1")
    large = ash.folder / "large.xml"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    refusing(ash, "over-size", "cap", "in", large, *wish)
    large.write_bytes(b"<alert/>")
    refusing(ash, "cap", "cap", "in", large, *wish)
    refusing(ash, "reference", "cap", "out", "ash/99")
    refusing(ash, "cap-none", "cap", "out", "ash/1")
    refusing(ash, "stix", "stix", "out", "ash/1")
    refusing(ash, "stix", "stix", "in", large, "--format", "note", "--to", "birch", "--as", "desk-1", "--subject", "x")


def refusing(operator: Operator, code: str, group: str, *arguments: object) -> None:
    first, *rest = arguments
    secret = ("--passphrase-file", operator.secret)
    refused(operator.speaks(group, first, *secret, *rest, home=operator.home), 2, code)
