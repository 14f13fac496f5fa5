# SPDX-License-Identifier: Apache-2.0
"""Commands that make a centre, put it on duty, and introduce it to its counterparts."""

from __future__ import annotations

import gc
import json
import logging
import signal
import threading
from pathlib import Path

import click

from servanda.assembly import Founding, Rotation, Station, exercise_of, found_centre, read_pack, request, station_at
from servanda.cli.asking import ask_home, home_option, json_option, parse_pairs, passphrase_of, patiently, text_of
from servanda.cli.printing import emit
from servanda.gateway.duty import Duty
from servanda.gateway.local import address_of
from servanda.operations.errors import Refusal, Stopped, TryLater

EXERCISE = """\
EXERCISE EXERCISE EXERCISE
This clock runs {0} times as fast since {1}. Nothing is released as actual.
EXERCISE EXERCISE EXERCISE"""
OFFICERS = {"desk-1": ("author",), "release-1": ("author", "release"), "watch-1": ("watch",)}


@click.command()
@home_option
@click.option(
    "--pack", type=click.Path(exists=True, path_type=Path), required=True, help="Pack folder or compiled pack."
)
@click.option("--party", required=True, help="Which party this centre is.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to listen on.")
@click.option("--address", multiple=True, help="https://host:port where counterparts reach it; repeat for each route.")
@click.option(
    "--encryption/--no-encryption",
    default=True,
    help="State a key to which counterparts encrypt courier bundles (the default), or none.",
)
@click.option(
    "--root-passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Passphrase of root.json, which is kept offline; else SERVANDA_ROOT_PASSPHRASE, else a prompt.",
)
@json_option
def init(
    home: Path,
    passphrase_file: Path | None,
    pack: Path,
    party: str,
    host: str,
    port: int,
    address: tuple[str, ...],
    encryption: bool,
    root_passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make a centre: keys, identity (entry 1) and an empty record. Prints its fingerprint."""
    passphrase = passphrase_of(passphrase_file, prompt="Passphrase of the keyring")
    root = passphrase_of(
        root_passphrase_file, prompt="Passphrase of the root keys", variable="SERVANDA_ROOT_PASSPHRASE"
    )
    found = found_centre(
        Founding(
            home=home,
            pack=read_pack(pack),
            party=party,
            passphrase=passphrase,
            root_passphrase=root,
            officers=OFFICERS,
            host=host,
            port=port,
            addresses=address or (f"https://{host}:{port}",),
            encryption=encryption,
        )
    )
    if not emit({"party": party, "fingerprint": found, "officers": OFFICERS}, as_json):
        click.echo(f"centre of {party} in {home}")
        click.echo(f"fingerprint {found}")
        officers = [f"{name} ({' and '.join(roles)})" for name, roles in OFFICERS.items()]
        click.echo(f"officers {', '.join(officers)}")
        click.echo(f"Move {home / 'root.json'} to a safe place: it is needed only to change keys and officers.")


@click.command()
@home_option
@click.option("--taxii", metavar="HOST:PORT", help="Also let TAXII 2.1 clients of this machine read indicators there.")
@click.option(
    "--exercise-pace",
    type=click.IntRange(2, 3600),
    metavar="N",
    help="For exercises only: this clock runs N times as fast (2 to 3600), and nothing is released as actual.",
)
@click.option(
    "--exercise-epoch",
    metavar="INSTANT",
    help="When the exercise began (RFC 3339, UTC); now if not given. With one epoch and pace, centres agree.",
)
def serve(
    home: Path,
    passphrase_file: Path | None,
    taxii: str | None,
    exercise_pace: int | None,
    exercise_epoch: str | None,
) -> None:
    """Put the centre on duty until it is told to stop (Ctrl-C or SIGTERM)."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if exercise_epoch is not None and exercise_pace is None:
        raise Refusal("--exercise-epoch goes with --exercise-pace", "usage")
    exercise = exercise_of(exercise_pace, exercise_epoch) if exercise_pace is not None else None
    _check_off_duty(home)
    passphrase = passphrase_of(passphrase_file, prompt="Passphrase of the keyring")
    station = patiently(lambda: Station(home, passphrase, exercise), stop.wait)
    try:
        duty = Duty(station, address_of(taxii) if taxii else None)
        gc.freeze()  # what the record holds stays: without this the collector walks all of it while an alert waits
        duty.start()
        click.echo(f"{station.settings.party} on duty at {', '.join(station.settings.addresses)}")
        if exercise is not None:
            click.echo(EXERCISE.format(*exercise))
        if duty.taxii is not None:
            click.echo(f"TAXII readers at http://{taxii}/taxii2/, on this machine only")
        stop.wait()
        duty.stop()
    finally:
        station.close()


def _check_off_duty(home: Path) -> None:
    """A centre on duty answers; who only finds the home open may wait until a command there has ended."""
    try:
        request(home, {"command": "status"})
    except TryLater as error:
        if error.code == "not-running":
            return
        raise
    raise Stopped(f"a centre is on duty for {home}; stop it first, or ask it", "two-instances")


@click.command()
@home_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the card here.")
def card(home: Path, passphrase_file: Path | None, output: Path | None) -> None:
    """Print our card: identity, addresses and certificate, for a counterpart."""
    text = json.dumps(ask_home(home, passphrase_file, "card"), indent=1)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n")


@click.command()
@home_option
@click.argument("card_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", required=True, help="The fingerprint that the counterpart told you in person.")
def meet(home: Path, passphrase_file: Path | None, card_file: Path, fingerprint: str) -> None:
    """Take a counterpart's CARD_FILE, if its fingerprint is the one that was compared in person."""
    party = ask_home(home, passphrase_file, "meet", card=text_of(card_file, "card"), fingerprint=fingerprint)
    click.echo(f"{party} is known by {fingerprint}")


@click.command()
@home_option
@click.option(
    "--officer", "officers", multiple=True, metavar="NAME=ROLE[,ROLE]", help="Add an officer, or change roles."
)
@click.option("--retire", multiple=True, metavar="NAME", help="Retire an officer: nothing signed after this counts.")
@click.option(
    "--renew", multiple=True, metavar="WHAT", help="New keys for centre, receipt, root, encryption, or an officer."
)
@click.option(
    "--root-passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Passphrase of root.json, which must be in the home for this; else SERVANDA_ROOT_PASSPHRASE, else a prompt.",
)
def rotate(
    home: Path,
    passphrase_file: Path | None,
    officers: tuple[str, ...],
    retire: tuple[str, ...],
    renew: tuple[str, ...],
    root_passphrase_file: Path | None,
) -> None:
    """Change keys and officers: a new identity entry under the root threshold. The centre must be off duty."""
    passphrase = passphrase_of(passphrase_file, prompt="Passphrase of the keyring")
    root = passphrase_of(
        root_passphrase_file, prompt="Passphrase of the root keys", variable="SERVANDA_ROOT_PASSPHRASE"
    )
    added = {name: tuple(roles.split(",")) for name, roles in parse_pairs(officers, "=").items()}
    if not (added or retire or renew):
        raise Refusal("nothing to change: give --officer, --retire or --renew", "usage")
    with station_at(home, passphrase) as station:
        entry = station.rotate(root, Rotation(added, retire, renew))
    click.echo(f"{entry.place}: new identity; the fingerprint stays the same")


@click.command()
@home_option
@click.option(
    "--root-passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Passphrase of root.json, which must be in the home for this; else SERVANDA_ROOT_PASSPHRASE, else a prompt.",
)
def branch(home: Path, passphrase_file: Path | None, root_passphrase_file: Path | None) -> None:
    """After a proven fork of our own journal, name the history held here as the one that stands. Off duty only."""
    passphrase = passphrase_of(passphrase_file, prompt="Passphrase of the keyring")
    root = passphrase_of(
        root_passphrase_file, prompt="Passphrase of the root keys", variable="SERVANDA_ROOT_PASSPHRASE"
    )
    with station_at(home, passphrase) as station:
        click.echo(station.name_branch(root).place)


COMMANDS = (init, serve, card, meet, rotate, branch)
