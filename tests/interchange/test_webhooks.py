# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signed as Standard Webhooks says, told of each entry, after a restart too, and of no word of it."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import standardwebhooks
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from servanda.agreement.dates import instant_seconds
from servanda.assembly import read_clock
from servanda.interchange.errors import InterchangeError
from servanda.interchange.webhooks import Notice, Webhook, read_webhooks, signature
from servanda.operations import notices
from servanda.operations.errors import LineDown, Refusal
from servanda.operations.notices import Notices, Telling
from servanda.transport.private import read_private
from servanda.transport.webhooks import HttpPoster
from tests.rig.packs import channel
from tests.rig.world import START, World

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""Of the test vector that Standard Webhooks publishes."""
PATIENCE_SECONDS = 20.0
URGENT = {"class": "urgent", "text": "Boats adrift, most secret"}


class Taken(NamedTuple):
    """One request that the sink got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found


class Sink:
    """A receiver on the loopback. It answers with what `answers` says, then with 204."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.taken: list[Taken] = []
        self.answers: list[int] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.taken.append(Taken(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(sink.answers.pop(0) if sink.answers else 204)
                self.send_header("location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
                self.end_headers()

            def handle(self) -> None:
                with suppress(ssl.SSLError, ConnectionError):
                    super().handle()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def hook(self, **members: Any) -> Webhook:
        listed = f'[[webhook]]\nname = "duty-room"\nurl = "{self.url}"\nsecret = "{SECRET}"\n'
        listed += "".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items())
        return read_webhooks(listed)[0]

    def entries(self) -> list[str]:
        return [taken.data["entry"] for taken in self.taken]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr(notices, "PAUSE_SECONDS_MIN", 0.01)
    monkeypatch.setattr(notices, "LOOK_SECONDS", 0.02)


def eventually(look: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not look():
        assert time.monotonic() - begun < PATIENCE_SECONDS
        threading.Event().wait(0.01)


def test_the_signature_is_that_of_the_published_test_vector() -> None:
    secret = read_webhooks(listed())[0].secret
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_entry_is_told_once_signed_and_without_a_word_of_it(sink: Sink, quick: None) -> None:
    world = World(channel(), status="exercise")
    world.clock.seconds = instant_seconds(read_clock()) - int(
        START.timestamp()
    )  # the stock library wants a time near its own
    telling = Notices(world.centres["birch"], HttpPoster(), [sink.hook()])
    telling.start()
    sent = world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash", subject="Most secret")
    world.deliver("ash", "birch")
    telling.changed()
    eventually(lambda: len(sink.taken) == 1)
    taken = sink.taken[0]
    told = standardwebhooks.Webhook(SECRET).verify(taken.body, taken.headers)
    assert told == {
        "type": "entry.received.exercise",
        "timestamp": sent.frame.released_at,  # type: ignore[union-attr]
        "data": {
            "agreement": world.pack.digest,
            "entry": str(sent.place),
            "format": "warn",
            "precedence": "flash",
            "status": "EXERCISE",
        },
    }
    assert b"ecret" not in taken.body
    own = world.say("birch", "note", {"text": "calm"})
    telling.changed()
    eventually(lambda: len(sink.taken) == 2)
    assert sink.entries()[1] == str(own.place)
    assert json.loads(sink.taken[1].body)["type"] == "entry.released.exercise"
    telling.stop()
    assert telling.view() == [{"name": "duty-room", "url": sink.url, "waiting": 0, "trouble": None}]


def test_only_what_a_webhook_wants_is_told(sink: Sink, quick: None) -> None:
    world = World(channel())
    birch = world.centres["birch"]
    telling = Notices(
        birch, HttpPoster(), [sink.hook(formats=["warn", "note"], precedences=["flash"], statuses=["actual"])]
    )
    telling.start()
    world.say("ash", "note", {"text": "calm"})
    world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash", status="test")
    wanted = world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash")
    world.deliver("ash", "birch")
    eventually(lambda: sink.entries() == [str(wanted.place)])
    eventually(lambda: telling.view()[0]["waiting"] == 0)
    telling.stop()
    assert len(sink.taken) == 1


def test_what_is_not_taken_is_sent_again_in_order_under_the_same_identifier(sink: Sink, quick: None) -> None:
    world = World(channel())
    sink.answers = [500, 302, 410]
    telling = Notices(world.centres["ash"], HttpPoster(), [sink.hook()])
    telling.start()
    said = [str(world.say("ash", "note", {"text": "calm"}).place) for _ in range(3)]
    eventually(lambda: len(sink.taken) == 6)
    telling.stop()
    assert sink.entries() == [said[0]] * 4 + said[1:]
    assert len({taken.headers["webhook-id"] for taken in sink.taken}) == 3
    assert {taken.path for taken in sink.taken} == {"/hook"}


def test_a_restart_loses_nothing_and_a_failure_is_visible(sink: Sink, quick: None) -> None:
    world = World(channel())
    ash = world.centres["ash"]
    hook = sink.hook()
    sink.answers = [503] * 10_000
    telling = Notices(ash, HttpPoster(), [hook])
    telling.start()
    said = [str(world.say("ash", "note", {"text": "calm"}).place) for _ in range(2)]
    eventually(lambda: telling.view()[0]["trouble"] == "line-down: duty-room answered 503")
    assert telling.view()[0]["waiting"] == 2
    telling.stop()
    sink.taken.clear()
    sink.answers.clear()
    said.append(str(world.say("ash", "note", {"text": "still calm"}).place))  # while nobody was there to tell it
    again = Notices(world.reopened("ash"), HttpPoster(), [hook])
    again.start()
    eventually(lambda: len(sink.taken) == 3)
    again.stop()
    assert sink.entries() == said
    assert Notices(world.reopened("ash"), HttpPoster(), [hook]).view()[0]["waiting"] == 3, "its store is a copy"


def test_a_crash_between_sending_and_keeping_sends_again_under_the_same_identifier() -> None:
    world = World(channel())
    hook = read_webhooks(listed())[0]
    first = Telling(world.centres["ash"], hook)
    world.say("ash", "note", {"text": "calm"})
    due = first.next()
    assert due is not None
    again = Telling(world.centres["ash"], hook)
    assert again.next() == due
    again.done(due)
    assert Telling(world.centres["ash"], hook).next() is None


def test_a_new_webhook_begins_with_what_comes_after_it() -> None:
    world = World(channel())
    hook = read_webhooks(listed())[0]
    assert Telling(world.centres["ash"], hook).next() is None
    world.say("ash", "note", {"text": "calm"})
    due = Telling(world.centres["ash"], hook).next()
    assert due is not None
    assert due.party == "ash"


def test_a_receiver_that_is_not_there_is_a_line_that_is_down() -> None:
    sink = Sink()
    hook = sink.hook()
    sink.close()
    with pytest.raises(LineDown, match="duty-room"):
        HttpPoster().post(hook, Notice("msg_1", b"{}"), 1)


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for 127.0.0.1 by an authority that nobody knows: the server's side, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = Encoding.PEM
    file = folder / "sink.pem"
    file.write_bytes(key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(pem))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cadata=made.public_bytes(pem).decode())


def test_a_receiver_whose_certificate_nobody_trusts_is_told_nothing(tmp_path: Path) -> None:
    serving, trusting = certified(tmp_path)
    sink = Sink(serving)
    hook = sink.hook()._replace(url=sink.url.replace("http:", "https:") + "?room=1")
    with pytest.raises(LineDown, match="CERTIFICATE_VERIFY_FAILED"):
        HttpPoster().post(hook, Notice("msg_1", b"{}"), 1)
    assert sink.taken == []
    HttpPoster(trusting).post(hook, Notice("msg_1", b"{}"), 1)
    assert [taken.path for taken in sink.taken] == ["/hook?room=1"]
    sink.close()


def listed(name: str = "a", secret: str = SECRET, more: str = "") -> str:
    return f'[[webhook]]\nname = "{name}"\nurl = "https://example.org"\nsecret = "{secret}"\n{more}\n'


WRONG = {
    "no TOML": "[[webhook",
    "an unknown table": "[hooks]",
    "an unknown member": listed(more='colour = "red"'),
    "no secret": '[[webhook]]\nname="a"\nurl="https://a"',
    "a short secret": listed(secret="whsec_YWJj"),
    "a secret that is no base64": listed(secret="whsec_!"),
    "a name twice": listed() * 2,
    "a bad name": listed("A b"),
    "an unknown precedence": listed(more='precedences = ["loud"]'),
    "an unknown status": listed(more='statuses = ["real"]'),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_list_of_webhooks_that_is_wrong_is_refused_and_shows_no_secret(name: str) -> None:
    with pytest.raises(InterchangeError) as refused:
        read_webhooks(WRONG[name])
    assert refused.value.code == "webhooks"
    assert SECRET.removeprefix("whsec_") not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.org/",
            "http://10.0.0.1/",
            "ftp://example.org",
            "file:///etc/passwd",
            "https://",
            "https://a#b",
        ),
        *("https://user:word@example.org/", "https://example.org:0/", "https://exa mple.org", "https://a\\n.org/", ""),
        *("http://127.0.0.1.example.org/", "http://localhost.example.org", "http://127.0.0.1@example.org/"),
    ],
)
def test_only_https_or_this_machine_can_be_told(url: str) -> None:
    with pytest.raises(InterchangeError, match="https"):
        read_webhooks(f'[[webhook]]\nname="a"\nurl="{url}"\nsecret="{SECRET}"')


@given(st.text())
def test_any_text_is_a_list_of_webhooks_or_gives_our_own_error(text: str) -> None:
    try:
        found = len(read_webhooks(text))
    except InterchangeError as error:
        found = 0 if error.code == "webhooks" else -1
    assert found == 0


def test_a_file_of_secrets_is_read_only_if_it_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "webhooks.toml"
    assert read_private(file) is None
    file.write_text("calm")
    for mode in (0o644, 0o640, 0o660, 0o602):
        file.chmod(mode)
        with pytest.raises(Refusal) as refused:
            read_private(file)
        assert refused.value.code == "file-mode"
    file.chmod(0o600)
    assert read_private(file) == "calm"
    file.write_bytes(b"\xff")
    with pytest.raises(Refusal):
        read_private(file)
    with pytest.raises(Refusal):
        read_private(tmp_path)
