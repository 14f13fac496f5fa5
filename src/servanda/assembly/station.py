# SPDX-License-Identifier: Apache-2.0
"""Which parts make a centre that has been opened from its home, and who is asked what?"""

from __future__ import annotations

import base64
import gc
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from servanda.agreement.pack import parse_pack
from servanda.assembly.clocks import Exercise, read_clock
from servanda.assembly.homes import Card, read_settings, take_lock
from servanda.assembly.keys import ENCRYPTION, ROOT_KEYS, der, signers_of
from servanda.assembly.rotation import Rotation, fresh_suffix, rotated
from servanda.assembly.tablelines import HomeTables
from servanda.interchange.errors import InterchangeError
from servanda.interchange.webhooks import read_webhooks
from servanda.journal.state import Entry
from servanda.keyring import age
from servanda.keyring.keyfile import open_keyring
from servanda.line.roster import EMPTY
from servanda.operations.bundles import BUNDLE_BYTES_MAX
from servanda.operations.centre import Centre
from servanda.operations.couriering import encrypted_courier
from servanda.operations.desk import dispatch
from servanda.operations.drafting import Draft
from servanda.operations.errors import Refusal, Stopped, TryLater
from servanda.operations.founding import identity_content, state_identity, under_root
from servanda.operations.notices import Notices
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from servanda.operations.standing import stand, watch_view
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
        self._lock = take_lock(home)
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
        self.centre = Centre(self.settings.party, pack, self.store, signers_of(self.keyring), clock)
        gc.freeze()  # the record stays: looking through all of it for garbage would hold up a page for a second
        self.centre.exercising = exercise is not None
        self.roster = RosterFile(home / "roster.toml")
        self.pager = ApprisePager(home / "paging.toml")
        self.tables = HomeTables(home)
        self.centre.signers = signers_of(self.keyring, self.centre.journal.identities.latest)
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
        certificate = der(self.keyring.secret("tls-certificate"))
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
        suffix = fresh_suffix(self.centre.journal.size + 1, {*self.keyring.names(), *root.names()})
        signers, roles = rotated(self.keyring, self.centre.signers, before, rotation, suffix)
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
            case "table-fetch":
                raise TryLater("tables are fetched by a centre on duty; `servanda serve` begins it", "not-running")
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
            case "table-import":
                from servanda.assembly.tables import import_table  # Arrow and DuckDB are slow to import

                import_table(self.home, Path(str(request["file"])), str(request["root"]), self._openers())
                return None
            case "import":
                return dispatch(self.centre, {**request, "data": self._opened(str(request.get("data", "")))})
        return dispatch(self.centre, request)

    def _opened(self, data: str) -> str:
        """A bundle in base64, decrypted if it is encrypted: its beginning tells, not its name."""
        raw = base64.b64decode(data)
        if not age.is_encrypted(raw):
            return data
        return base64.b64encode(age.decrypt(raw, self._openers(), BUNDLE_BYTES_MAX)).decode()

    def _openers(self) -> list[bytes]:
        """All private keys with which what is encrypted to our party may be opened."""
        return [self.keyring.secret(name) for name in self.keyring.secret_names() if name.startswith(ENCRYPTION)]

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
