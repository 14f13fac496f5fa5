# SPDX-License-Identifier: Apache-2.0
"""Pages through Apprise to a mail server and an HTTP sink: they arrive, and no address leaves its file."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from servanda.operations.errors import Refusal
from servanda.operations.paging import page_text
from servanda.transport.paging import ApprisePager
from tests.line.people import Mailbox, Sink

# Apprise's plug-ins import what Python 3.11 calls deprecated; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TEXT = page_text("birch", "exercise", "flash")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


def pager(folder: Path, **addresses: list[str]) -> ApprisePager:
    file = folder / "paging.toml"
    file.write_text("".join(f"{name} = {urls!r}\n" for name, urls in addresses.items()))
    file.chmod(0o600)
    return ApprisePager(file)


def test_a_page_arrives_by_mail_and_by_http_with_its_mark(tmp_path: Path, mailbox: Mailbox, sink: Sink) -> None:
    made = pager(tmp_path, watch=[mailbox.url, sink.url])
    made.prepare()
    assert made.contacts() == {"watch"}
    assert made.send("watch", None, *TEXT) == []
    (mail,), (body,) = mailbox.mails, sink.bodies
    subject = "EXERCISE EXERCISE FLASH: something waits at the centre of birch EXERCISE EXERCISE"
    assert f"Subject: {subject}" in mail.replace("\r\n ", " ")
    assert subject in body


def test_addresses_that_do_not_take_it_are_told_by_number_and_tried_alone(
    tmp_path: Path, mailbox: Mailbox, sink: Sink
) -> None:
    mailbox.refusing = True
    made = pager(tmp_path, watch=[mailbox.url, sink.url, "nosuch://x"])
    assert made.send("watch", None, *TEXT) == [0, 2]
    mailbox.refusing = False
    assert made.send("watch", [0], *TEXT) == []
    assert len(sink.bodies) == 1


def test_no_address_and_no_secret_is_logged_or_told(
    tmp_path: Path, mailbox: Mailbox, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mailbox.refusing, sink.status = True, 500
    made = pager(tmp_path, watch=[mailbox.url, sink.url, "json://user:SECRET@127.0.0.1:1/", "nosuch://SECRET"])
    made.prepare()
    assert made.send("watch", None, *TEXT) == [0, 1, 2, 3]
    assert "address 4 of watch" in caplog.text
    assert "SECRET" not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        'watch = "mailto://user:SECRET@example.org"',
        "watch = []",
        "watch = ['SECRET']",
        "watch = [1]",
        "Watch! = ['json://SECRET']",
        "'SECRET x' = ['json://SECRET']",
        "watch = ['json://SECRET'",
        "[watch]\na = 'json://SECRET'",
    ],
)
def test_settings_that_are_none_are_refused_without_their_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "paging.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(Refusal) as caught:
        ApprisePager(file).contacts()
    assert caught.value.code == "paging"
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_settings_that_others_may_read_are_refused(tmp_path: Path, sink: Sink, mode: int) -> None:
    made = pager(tmp_path, watch=[sink.url])
    (tmp_path / "paging.toml").chmod(mode)
    for attempt in (made.contacts, lambda: made.send("watch", None, *TEXT)):
        with pytest.raises(Refusal, match="chmod 600"):
            attempt()
    made.prepare()
    assert sink.bodies == []


def test_without_a_file_nobody_is_paged_and_an_unknown_contact_is_told(tmp_path: Path, sink: Sink) -> None:
    assert ApprisePager(tmp_path / "paging.toml").contacts() == frozenset()
    with pytest.raises(Refusal, match="deputy has no addresses"):
        pager(tmp_path, watch=[sink.url]).send("deputy", None, *TEXT)


def test_a_file_that_is_mended_is_used_at_the_next_page(tmp_path: Path, sink: Sink) -> None:
    made = pager(tmp_path, watch=["json://127.0.0.1:1/"])
    assert made.send("watch", None, *TEXT) == [0]
    pager(tmp_path, watch=[sink.url])
    assert made.send("watch", [0], *TEXT) == []


def test_what_cannot_be_read_at_all_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "paging.toml"
    os.mkdir(file)
    with pytest.raises(Refusal) as caught:
        ApprisePager(file).contacts()
    assert caught.value.code == "paging"
    file.rmdir()
    file.write_bytes(b"\xff")
    file.chmod(0o600)
    with pytest.raises(Refusal):
        ApprisePager(file).contacts()
