# SPDX-License-Identifier: Apache-2.0
"""Which parts make a centre: the only place where stores, transports and keyrings are put together.

A centre lives in one folder, its *home*: `centre.json` (who and where), `keyring.json` (keys, encrypted), `root.json`
(root keys, encrypted; carry it away), `record.db` (everything said), `lock` and `control.sock` while it is on duty.
"""

from __future__ import annotations

import base64
import fcntl
import os
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from servanda.agreement.compilation import compile_pack
from servanda.agreement.dates import DateExpressionError, check_instant
from servanda.agreement.errors import PackError, Problem
from servanda.agreement.pack import Pack, parse_pack
from servanda.interchange.errors import InterchangeError
from servanda.interchange.webhooks import read_webhooks
from servanda.journal.identity import Identity
from servanda.journal.state import Entry
from servanda.keyring import age
from servanda.keyring.keyfile import Cost, Keyring, create_keyring, open_keyring, replace_file
from servanda.keyring.tls import make_tls
from servanda.line.roster import EMPTY
from servanda.operations.bundles import BUNDLE_BYTES_MAX
from servanda.operations.centre import Centre, Signers
from servanda.operations.couriering import encrypted_courier
from servanda.operations.desk import dispatch
from servanda.operations.drafting import Draft
from servanda.operations.errors import Refusal, Stopped, TryLater
from servanda.operations.founding import fingerprint, identity_content, state_identity, under_root
from servanda.operations.notices import Notices
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from servanda.operations.standing import stand, watch_view
from servanda.proof.canonical import encode
from servanda.proof.certificates import spki_sha256
from servanda.proof.merkle import leaf_hash
from servanda.storage.rosterfile import RosterFile
from servanda.storage.sqlite.store import SqliteStore
from servanda.transport.control import ask
from servanda.transport.https import HttpsCourier
from servanda.transport.paging import ApprisePager
from servanda.transport.private import read_private
from servanda.transport.tls import client_context, server_context, trust
from servanda.transport.webhooks import HttpPoster

CENTRE_KEYS = {
    "centre": "ed25519",
    "centre-ml-dsa-44": "ml-dsa-44",
    "receipt": "ed25519",
    "receipt-ml-dsa-44": "ml-dsa-44",
}
ENCRYPTION = "encryption"
"""Secrets of the keyring that are called so, or so and a number, open bundles that are encrypted to us."""
NOT_OFFICERS = ("centre", "receipt", "root", ENCRYPTION)
ROOT_KEYS, ROOT_THRESHOLD = 3, 2
CHEAP = Cost(8192, 1, 1)
"""Cost of a key derivation for exercises whose passphrase is no secret: 8 MiB, once."""


EPOCH_DAYS_MAX = 7
"""How far back an exercise may have begun: at the fastest pace its clock is then 69 years ahead."""


class Settings(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """`centre.json`: who this centre is, and where it listens."""

    party: str
    agreement: str
    host: str
    port: int
    addresses: tuple[str, ...]
    """Where counterparts reach it, `https://host:port`, in order of preference."""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counterpart is given once. Its fingerprint is not on it: that is compared in person."""

    servanda_card: int
    party: str
    agreement: str
    addresses: tuple[str, ...]
    certificate: str
    leaf: str
    checkpoint: str


class Founding(NamedTuple):
    """What a new centre is made from."""

    home: Path
    pack: Pack
    party: str
    passphrase: str
    root_passphrase: str
    officers: Mapping[str, Sequence[str]]
    host: str = "127.0.0.1"
    port: int = 0
    addresses: tuple[str, ...] = ()
    cost: Cost | None = None
    """Cost of the key derivation; None for the default."""
    encryption: bool = True
    """Whether the identity states a key to which counterparts encrypt bundles; `rotate` can state one later."""


def read_clock() -> str:
    """The present time, RFC 3339 UTC with milliseconds. The only place where the clock is read."""
    return _instant(datetime.now(UTC))  # noqa: TID251


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Exercise(NamedTuple):
    """A clock for exercises: it runs `pace` times as fast, and showed the true time at `epoch`."""

    pace: int
    epoch: str

    def clock(self) -> str:
        """The time of the exercise, in the form of `read_clock`."""
        begun, now = datetime.fromisoformat(self.epoch), datetime.fromisoformat(read_clock())
        return _instant(begun + (now - begun) * self.pace)


def exercise_of(pace: int, epoch: str | None) -> Exercise:
    """The exercise clock with this pace and epoch, which begins now if none is given.

    Raises:
        Refusal: the epoch is no instant, lies ahead, or too far back (`usage`).
    """
    now = read_clock()
    try:
        begun = check_instant(epoch or now)
    except DateExpressionError as error:
        raise Refusal(str(error), "usage") from error
    ago = datetime.fromisoformat(now) - datetime.fromisoformat(begun)
    if not timedelta(0) <= ago <= EPOCH_DAYS_MAX * timedelta(days=1):
        raise Refusal(f"the epoch {begun} lies ahead, or more than {EPOCH_DAYS_MAX} days back", "usage")
    return Exercise(pace, begun)


def read_pack(path: Path) -> Pack:
    """The pack in a folder of TOML and JSON, or in one compiled file.

    Raises:
        PackError: with every problem, by file and line.
    """
    if path.is_dir():
        files = {
            str(found.relative_to(path)): found.read_bytes()
            for found in sorted(path.rglob("*"))
            if found.is_file() and found.suffix in (".toml", ".json")
        }
        return compile_pack(files)
    if not path.is_file():
        raise PackError([Problem(str(path), 0, "no such file or folder")])
    return parse_pack(path.read_bytes())


def found_centre(founding: Founding) -> str:
    """Make the home of a new centre and state its identity as entry 1; returns the fingerprint.

    `centre.json` comes last, and makes the home a centre's: whatever breaks off before has said nothing to anybody.

    Raises:
        Refusal: the home already holds a centre, or what is left of one; or the party is not in the pack.
    """
    home = founding.home
    if (home / "centre.json").exists():
        raise Refusal(f"{home} already holds a centre; choose another home", "home")
    left = [name for name in ("keyring.json", "root.json", "record.db") if (home / name).exists()]
    if left:
        reason = f"{home} holds {' and '.join(left)} of a centre without its centre.json"
        raise Refusal(f"{reason}: put that back, or if `init` was broken off there, remove them", "home")
    if founding.party not in founding.pack.parties:
        raise Refusal(f"{founding.party} is none of {', '.join(founding.pack.parties)}", "party")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {**CENTRE_KEYS, **{f"officer-{name}": "ed25519" for name in founding.officers}}
    keyring = create_keyring(home / "keyring.json", founding.passphrase, names, founding.cost)
    key, certificate = make_tls(f"servanda {founding.party}", datetime.now(UTC))  # noqa: TID251
    keyring.put_secret("tls-key", key)
    keyring.put_secret("tls-certificate", certificate)
    keyring.put_secret(ENCRYPTION, age.new_secret())
    keyring.save()
    roots = {f"root-{index}": "ed25519" for index in range(1, ROOT_KEYS + 1)}
    root = create_keyring(home / "root.json", founding.root_passphrase, roots, founding.cost)
    store = SqliteStore(home / "record.db")
    with store.transaction() as writer:
        writer.put_pack(founding.pack.digest, encode(founding.pack.data))
    centre = Centre(founding.party, founding.pack, store, _signers(keyring), read_clock)
    party = next(p for p in founding.pack.data["parties"] if p["id"] == founding.party)
    signers = [root.signer(name) for name in sorted(roots)]
    tls = [spki_sha256(_der(certificate))]
    opener = age.public_of(keyring.secret(ENCRYPTION)) if founding.encryption else None
    content = identity_content(centre.signers, signers, ROOT_THRESHOLD, founding.officers, party["names"], tls, opener)
    state_identity(centre, content, signers[:ROOT_THRESHOLD], f"Identity of {founding.party}")
    settings = Settings(founding.party, founding.pack.digest, founding.host, founding.port, founding.addresses)
    found = fingerprint(centre)
    store.close()
    replace_file(home / "centre.json", msgspec.json.format(msgspec.json.encode(settings)) + b"\n")
    assert found is not None
    return found


def _signers(keyring: Keyring, identity: Identity | None = None) -> Signers:
    """The keys that an identity states, wherever the keyring keeps them; those of a new centre if there is none yet."""
    signers = {name: keyring.signer(name) for name in keyring.names()}
    if identity is None:
        officers = {n.removeprefix("officer-"): signer for n, signer in signers.items() if n.startswith("officer-")}
        centre, centre_mldsa44, receipt_key, receipt_mldsa44 = (signers[name] for name in CENTRE_KEYS)
        return Signers(centre, centre_mldsa44, receipt_key, receipt_mldsa44, officers)
    by_public = {signer.public: signer for signer in signers.values()}
    try:
        return Signers(
            by_public[identity.centre.ed25519],
            by_public[identity.centre.mldsa44],
            by_public[identity.receipt.ed25519],
            by_public[identity.receipt.mldsa44],
            {name: by_public[o.public] for name, o in identity.officers.items() if o.public in by_public},
        )
    except KeyError as error:
        raise Stopped(
            "the keyring lacks a key that the newest identity states; restore the right keyring", "wrong-key"
        ) from error


def _der(certificate_pem: bytes) -> bytes:
    body = b"".join(line for line in certificate_pem.splitlines() if not line.startswith(b"-----"))
    return base64.b64decode(body)


class Rotation(NamedTuple):
    """What a new identity changes."""

    officers: Mapping[str, Sequence[str]] = {}
    """Officers to add, or whose roles change: name to roles."""
    retire: Sequence[str] = ()
    renew: Sequence[str] = ()
    """`centre`, `receipt`, `root`, `encryption`, or names of officers whose keys are renewed."""
    subject: str = "New identity"


def _fresh_suffix(number: int, names: Collection[str]) -> str:
    """What the names of the keys for identity entry `number` end in.

    A rotation that broke off, or was refused, has left keys that no identity states; they stay, in nobody's way.
    """
    attempts = (f"-{number}" if attempt == 1 else f"-{number}-{attempt}" for attempt in count(1))
    return next(suffix for suffix in attempts if not any(name.endswith(suffix) for name in names))


def _rotated(
    keyring: Keyring, signers: Signers, before: Identity, rotation: Rotation, suffix: str
) -> tuple[Signers, dict[str, Sequence[str]]]:
    """The signers and officers' roles after a rotation; new keys are added to the keyring, which is not saved."""
    roles: dict[str, Sequence[str]] = {name: sorted(officer.roles) for name, officer in before.officers.items()}
    officers = dict(signers.officers)
    for name in (*rotation.retire, *(n for n in rotation.renew if n not in NOT_OFFICERS)):
        if name not in roles:
            raise Refusal(f"no officer {name}; there are {', '.join(sorted(roles))}", "unknown-key")
    for name in rotation.retire:
        del roles[name]
        officers.pop(name, None)
    for name in {*rotation.officers, *rotation.renew} - set(NOT_OFFICERS) - set(rotation.retire):
        roles[name] = rotation.officers.get(name, roles.get(name, ()))
        if name in rotation.renew or name not in officers:
            officers[name] = keyring.add(f"officer-{name}{suffix}", "ed25519")
    changed = signers._replace(officers={name: officers[name] for name in roles})
    if "centre" in rotation.renew:
        changed = changed._replace(
            centre=keyring.add(f"centre{suffix}", "ed25519"),
            centre_mldsa44=keyring.add(f"centre-ml-dsa-44{suffix}", "ml-dsa-44"),
        )
    if "receipt" in rotation.renew:
        changed = changed._replace(
            receipt=keyring.add(f"receipt{suffix}", "ed25519"),
            receipt_mldsa44=keyring.add(f"receipt-ml-dsa-44{suffix}", "ml-dsa-44"),
        )
    return changed, roles


class Station:
    """A centre opened from its home, held by this process alone."""

    def __init__(self, home: Path, passphrase: str, exercise: Exercise | None = None) -> None:
        """Take the lock, open keys and record; with the clock of an exercise if one is given.

        Raises:
            Refusal: no centre in that home, or a wrong passphrase.
            Stopped: another process holds this home (`two-instances`), or the record is damaged.
        """
        self.home = home
        self.settings = read_settings(home)
        self._lock = _take_lock(home)
        self.keyring = open_keyring(home / "keyring.json", passphrase)
        if not (home / "record.db").is_file():
            raise Stopped(
                f"{home / 'record.db'} is missing; restore the copy of the home that you keep", "store-damaged"
            )
        self.store = SqliteStore(home / "record.db")
        packs = self.store.packs()
        if self.settings.agreement not in packs:
            raise Stopped(f"the pack of {home} is not in its record", "store-damaged")
        pack = parse_pack(packs[self.settings.agreement])
        self.exercise = exercise
        clock = exercise.clock if exercise else read_clock
        self.centre = Centre(self.settings.party, pack, self.store, _signers(self.keyring), clock)
        self.centre.exercising = exercise is not None
        self.roster = RosterFile(home / "roster.toml")
        self.pager = ApprisePager(home / "paging.toml")
        self.centre.signers = _signers(self.keyring, self.centre.journal.identities.latest)
        self.cards = self._cards()

    def _cards(self) -> dict[str, Card]:
        cards = {}
        for party in self.centre.pack.parties:
            kept = self.store.setting(f"card/{party}")
            if kept is not None:
                cards[party] = msgspec.json.decode(kept, type=Card)
        return cards

    def card(self) -> Card:
        """Our own card, for counterparts."""
        certificate = _der(self.keyring.secret("tls-certificate"))
        return Card(
            servanda_card=1,
            party=self.settings.party,
            agreement=self.settings.agreement,
            addresses=self.settings.addresses,
            certificate=base64.b64encode(certificate).decode(),
            leaf=self.store.leaves(self.settings.party, 1, 1)[0].decode(),
            checkpoint=self.centre.note_at(1).decode(),
        )

    def meet(self, data: bytes, expected: str) -> str:
        """Take a counterpart's card whose fingerprint has been compared in person; returns its party.

        Raises:
            Refusal: the card is malformed, of another agreement, or its fingerprint is another one.
        """
        try:
            card = msgspec.json.decode(data, type=Card)
            certificate = base64.b64decode(card.certificate, validate=True)
        except (msgspec.MsgspecError, ValueError) as error:
            raise Refusal(f"this is not a card, as `servanda card` writes it: {error}", "card") from error
        if card.agreement != self.settings.agreement:
            raise Refusal(f"the card of {card.party} is for another agreement", "agreement")
        if card.party == self.settings.party:
            raise Refusal(f"this is a card of {card.party}, our own party: take the counterpart's", "wrong-journal")
        found = leaf_hash(card.leaf.encode()).hex()
        if found != expected:
            reason = f"the fingerprint of {card.party} is {found}, not {expected}: do not go on; ask that party"
            raise Refusal(reason, "fingerprint")
        with self.centre.lock:
            receive(self.centre, Push(card.party, 1, (card.leaf.encode(),), card.checkpoint.encode()))
            identity = self.centre.record.journals[card.party].identities.latest
            if identity is None or spki_sha256(certificate) not in identity.tls:
                raise Refusal(f"the certificate on the card of {card.party} is not in its identity", "card")
            with self.store.transaction() as writer:
                writer.put_setting(f"card/{card.party}", data)
        self.cards[card.party] = card
        return card.party

    def contexts(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """TLS contexts for what comes in and what goes out; both trust the certificates on the cards held."""
        key, certificate = self.keyring.secret("tls-key"), self.keyring.secret("tls-certificate")
        known = [base64.b64decode(card.certificate) for card in self.cards.values()]
        return server_context(key, certificate, known), client_context(key, certificate, known)

    def courier(self, outgoing: ssl.SSLContext) -> HttpsCourier:
        """What carries our requests, by the addresses on the cards and the keys in the identities of counterparts."""
        return HttpsCourier(self._routes, self._pins, outgoing)

    def notices(self) -> Notices:
        """What tells the webhooks of `webhooks.toml`; nobody, if there is no such file.

        Raises:
            Refusal: the file is not its owner's alone, or wrong.
        """
        try:
            hooks = read_webhooks(read_private(self.home / "webhooks.toml") or "")
        except InterchangeError as error:
            raise Refusal(str(error), error.code) from error
        return Notices(self.centre, HttpPoster(), hooks)

    def taxii_tokens(self) -> str:
        """The text of `taxii-tokens`.

        Raises:
            Refusal: there is no such file (`tokens`), or it is not its owner's alone.
        """
        text = read_private(self.home / "taxii-tokens")
        if text is None:
            raise Refusal(f"{self.home / 'taxii-tokens'} is missing: it names who may read", "tokens")
        return text

    def _routes(self, party: str) -> Sequence[str]:
        card = self.cards.get(party)
        return card.addresses if card else ()

    def _pins(self, party: str) -> frozenset[str]:
        identity = self.centre.record.journals[party].identities.latest
        return frozenset(identity.tls) if identity else frozenset()

    def trust(self, party: str, *contexts: ssl.SSLContext) -> None:
        """Let live TLS contexts trust the certificate on a party's card."""
        for context in contexts:
            trust(context, base64.b64decode(self.cards[party].certificate))

    def rotate(self, root_passphrase: str, rotation: Rotation) -> Entry:
        """State a new identity: officers added or retired, keys renewed, signed by the root threshold.

        New keys are saved before they are stated; if anything fails, the identity before stays in force.

        Raises:
            Refusal: an officer who is not there is retired or renewed, or a rule of spec/identity.md is broken.
        """
        before = self.centre.journal.identities.latest
        assert before is not None
        root = open_keyring(self.home / "root.json", root_passphrase)
        known = {root.signer(name).public: root.signer(name) for name in root.names()}
        old = [known[key] for key in before.root_keys if key in known]
        suffix = _fresh_suffix(self.centre.journal.size + 1, {*self.keyring.names(), *root.names()})
        signers, roles = _rotated(self.keyring, self.centre.signers, before, rotation, suffix)
        new = old
        if "root" in rotation.renew:
            new = [root.add(f"root-{index}{suffix}", "ed25519") for index in range(1, ROOT_KEYS + 1)]
            root.save()
        opener = before.encryption
        if ENCRYPTION in rotation.renew:  # those before stay in the keyring: what is under way can still be read
            self.keyring.put_secret(f"{ENCRYPTION}{suffix}", age.new_secret())
            opener = age.public_of(self.keyring.secret(f"{ENCRYPTION}{suffix}"))
        self.keyring.save()
        content = identity_content(signers, new, before.threshold, roles, before.names, before.tls, opener)
        signing = {signer.public: signer for signer in (*old[: before.threshold], *new[: before.threshold])}
        kept, self.centre.signers = self.centre.signers, signers
        try:
            return state_identity(self.centre, content, list(signing.values()), rotation.subject)
        except Exception:
            self.centre.signers = kept
            raise

    def name_branch(self, root_passphrase: str) -> Entry:
        """After a proven fork of our own journal: the history held here is the one that stands (spec/settlement.md).

        Raises:
            Refusal: too few root keys, or a rule is broken; nothing has changed.
        """
        identity, journal = self.centre.journal.identities.latest, self.centre.journal
        assert identity is not None
        root = open_keyring(self.home / "root.json", root_passphrase)
        known = {root.signer(name).public: root.signer(name) for name in root.names()}
        signing = [known[key] for key in identity.root_keys if key in known][: identity.threshold]
        content = {"root": journal.tree.root().hex(), "size": journal.size}
        draft = Draft(
            format="branch",
            subject=f"The history with {journal.size} entries stands",
            event_at=self.centre.clock()[:10],
            author="root",
            content=content,
        )
        return self.centre.commit(under_root(self.centre, draft, signing))

    def handle(self, request: Mapping[str, Any]) -> Any:
        """Carry out a request of the desk, or one that concerns this process."""
        match request.get("command"):
            case "card":
                return msgspec.to_builtins(self.card())
            case "lines" | "webhooks":
                raise TryLater(
                    "no line is up and nobody is told while the centre is off duty; `servanda serve` puts it on duty",
                    "not-running",
                )
            case "meet":
                return self.meet(str(request.get("card", "")).encode(), str(request.get("fingerprint", "")))
            case "orderwire":
                raise TryLater("the orderwire is for centres on duty; `servanda serve` begins it", "not-running")
            case "roster" | "roster-set" | "handover":
                return stand(self.centre, self.roster, request)
            case "watch":
                return {**dispatch(self.centre, request), **self._watch()}
            case "export" if request.get("to"):
                with self.centre.lock:
                    purpose = str(request.get("purpose", "courier"))
                    data = encrypted_courier(self.centre, [*map(str, request["to"])], purpose, age.encrypt)
                return base64.b64encode(data).decode()
            case "import":
                return dispatch(self.centre, {**request, "data": self._opened(str(request.get("data", "")))})
        return dispatch(self.centre, request)

    def _opened(self, data: str) -> str:
        """A bundle in base64, decrypted if it is encrypted: its beginning tells, not its name."""
        raw = base64.b64decode(data)
        if not age.is_encrypted(raw):
            return data
        names = [name for name in self.keyring.secret_names() if name.startswith(ENCRYPTION)]
        secrets = [self.keyring.secret(name) for name in names]
        return base64.b64encode(age.decrypt(raw, secrets, BUNDLE_BYTES_MAX)).decode()

    def _watch(self) -> dict[str, Any]:
        try:
            roster, trouble = self.roster.roster(), ""
        except Refusal as error:
            roster, trouble = EMPTY, str(error)  # the screen must stay, and say so
        with self.centre.lock:
            duty = {**watch_view(self.centre, roster), "trouble": trouble}
        return {"duty": duty, "exercise": self.exercise and self.exercise._asdict()}

    def close(self) -> None:
        """Release store and lock."""
        self.store.close()
        os.close(self._lock)


def read_settings(home: Path) -> Settings:
    """`centre.json` of a home.

    Raises:
        Refusal: there is none, or it cannot be read.
    """
    try:
        return msgspec.json.decode((home / "centre.json").read_bytes(), type=Settings)
    except FileNotFoundError as error:
        raise Refusal(f"{home} holds no centre; `servanda init` makes one", "home") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise Refusal(f"{home / 'centre.json'} cannot be read: {error}", "home") from error


def _take_lock(home: Path) -> int:
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Stopped(
            f"another process has {home} open, on duty or for a command; stop it first, or ask it", "two-instances"
        ) from error
    return descriptor


def pager_at(home: Path) -> ApprisePager:
    """What pages the people of a home, with or without a process on duty."""
    read_settings(home)
    return ApprisePager(home / "paging.toml")


@contextmanager
def station_at(home: Path, passphrase: str) -> Iterator[Station]:
    """A station for the length of a block."""
    station = Station(home, passphrase)
    try:
        yield station
    finally:
        station.close()


def request(home: Path, message: Mapping[str, Any], passphrase: Callable[[], str] | None = None) -> Any:
    """Ask the process on duty for a home or, if there is none, open the home for this one request.

    Args:
        home: the centre's folder.
        message: the request.
        passphrase: gives the keyring's passphrase if it is needed; None to ask only a process on duty.

    Raises:
        Refusal: what the command refuses.
        TryLater: no process is on duty (`not-running`), and no passphrase was offered.
    """
    read_settings(home)
    try:
        return ask(home / "control.sock", dict(message))
    except TryLater as error:
        if error.code != "not-running" or passphrase is None:
            raise
    with station_at(home, passphrase()) as station:
        return station.handle(message)
