# SPDX-License-Identifier: Apache-2.0
"""What an officer may ask of the centre, by name: the commands of the terminal and of the control socket.

Each takes plain JSON values and returns plain JSON values, so that it can be asked over a socket or within a process.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec

from servanda.journal.audit import audit_record
from servanda.journal.state import Entry
from servanda.operations import (
    advancing,
    bookkeeping,
    casework,
    dialogue,
    discrepancies,
    inspecting,
    interchange,
    linework,
    link_tests,
    reconciling,
    reporting,
    reviewing,
    silences,
    tableworks,
    tracing,
)
from servanda.operations.attachments import attachment_view
from servanda.operations.bundles import export_bundle, import_bundle, take_pack
from servanda.operations.casework import acknowledged, place_of
from servanda.operations.centre import Centre
from servanda.operations.drafting import (
    draft_at,
    parse_draft,
    release_draft,
    send_alone,
    submit_draft,
    withdraw_draft,
    write_draft,
)
from servanda.operations.errors import Refusal
from servanda.operations.founding import fingerprint
from servanda.operations.handing import outstanding
from servanda.operations.receipts import receipted_size
from servanda.operations.sealing import draft_reveal, opened_content
from servanda.proof.notes import KIND_MLDSA44
from servanda.proof.sealing import digests_of
from servanda.registers.custody.views import balances_document, counts, declared, figures, movements, statements, tables
from servanda.registers.obligations.views import obligations_document

Arguments = Mapping[str, Any]
Command = Callable[[Centre, Arguments], Any]


def dispatch(centre: Centre, request: Mapping[str, Any]) -> Any:
    """Carry out one request `{"command": name, …}` under the centre's lock.

    Raises:
        Refusal: no such command, a missing argument, or what the command refuses.
    """
    name = request.get("command")
    command = COMMANDS.get(name) if isinstance(name, str) else None
    if command is None:
        raise Refusal(f"no command {name!r}; commands are {', '.join(sorted(COMMANDS))}", "usage")
    with centre.lock:
        try:
            return command(centre, request)
        except KeyError as error:
            raise Refusal(f"{name}: argument {error} is missing", "usage") from error


def entry_view(entry: Entry) -> dict[str, Any]:
    """An entry as shown: its place, verdict, flags and frame."""
    frame = entry.frame
    return {
        "entry": str(entry.place),
        "leaf": entry.hash.hex(),
        "admissible": entry.admissible,
        "code": entry.code,
        "reason": entry.reason,
        "flags": list(frame.flags) if frame else [],
        "frame": msgspec.to_builtins(frame) if frame else None,
    }


def _status(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    record = centre.record
    return {
        "party": centre.party,
        "agreement": record.agreement,
        "pack": record.in_force(record.whole),
        "title": centre.pack.data["title"],
        "fingerprint": fingerprint(centre),
        "journals": [
            {
                "party": party,
                "size": state.size,
                "judged": len(state.entries),
                "waiting": state.waiting,
                "receipted": None if party == centre.party else receipted_size(centre, party),
                "receipted-quantum": None if party == centre.party else receipted_size(centre, party, KIND_MLDSA44),
                "fingerprint": fingerprint(centre, party),
            }
            for party, state in sorted(record.journals.items())
        ],
        "watch": [
            {**watched._asdict(), "openings": outstanding(centre, watched.party)} for watched in linework.watch(centre)
        ],
        "forks": {journal: sorted(proofs) for journal, proofs in centre.store.forks().items()},
    }


def _log(centre: Centre, arguments: Arguments) -> list[dict[str, Any]]:
    wanted = arguments.get("party")
    limit = int(arguments.get("limit", 50))
    entries = [entry for entry in centre.record.log if wanted in (None, entry.place.party)]
    return [entry_view(entry) for entry in entries[-limit:]]


def _show(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    entry = centre.record.entry(place_of(arguments["entry"]))
    if entry is None:
        raise Refusal(f"no entry {arguments['entry']} is held", "reference")
    view = entry_view(entry)
    view["held-at"] = centre.store.held_at(*entry.place)
    view["receipts"] = [
        {"by": r.by, "size": r.size, "kind": "ml-dsa-44" if r.kind == KIND_MLDSA44 else "ed25519"}
        for r in centre.store.receipts(entry.place.party)
        if r.size >= entry.place.number
    ]
    if entry.frame is not None and digests_of(entry.frame.content):
        view["opened"] = opened_content(centre, entry)
    if entry.frame is not None:
        attachment = attachment_view(entry.frame.format, view.get("opened", entry.frame.content))
        view |= {"attachment": attachment} if attachment else {}
    view["acknowledged-by"] = [
        str(other.place)
        for other in centre.record.log
        if other.admissible
        and other.frame is not None
        and other.frame.act == "acknowledge"
        and any(reference.place == entry.place for reference in other.frame.refers_to)
    ]
    offer = centre.record.threads.offers.get(entry.place)
    if offer is not None:
        threads, whole = centre.record.threads, centre.record.whole
        view["offer"] = {
            "named": list(offer.named),
            "accepted-by": sorted(offer.acceptances),
            "refused-by": sorted(offer.refusals),
            "crossed": threads.crossed(offer, whole),
            "accepted": threads.accepted(offer, whole),
            "settled": centre.record.settled(offer, whole),
            "effective": centre.record.effective(offer, whole),
        }
    return view


def _drafts(centre: Centre, arguments: Arguments) -> list[dict[str, Any]]:
    return [
        msgspec.to_builtins(draft_at(centre, stored.identifier))
        for stored in centre.store.drafts()
        if arguments.get("all") or stored.state in ("draft", "submitted")
    ]


def _draft(centre: Centre, arguments: Arguments) -> str:
    return write_draft(centre, parse_draft(arguments["draft"]))


def _submit(centre: Centre, arguments: Arguments) -> None:
    submit_draft(centre, arguments["identifier"])


def _withdraw(centre: Centre, arguments: Arguments) -> None:
    withdraw_draft(centre, arguments["identifier"])


def _release(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return entry_view(release_draft(centre, arguments["identifier"], arguments["officer"]))


def _send(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return entry_view(send_alone(centre, parse_draft(arguments["draft"])))


def _acknowledge(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return entry_view(send_alone(centre, acknowledged(centre, arguments)))


def _reveal(centre: Centre, arguments: Arguments) -> str:
    draft = draft_reveal(centre, place_of(arguments["entry"]), arguments.get("names", ()), arguments["officer"])
    return write_draft(centre, draft)


def _accounting(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return {
        **balances_document(centre.custody),
        "declared": declared(centre.custody),
        "tables": tables(centre.custody),
        "counts": counts(centre.custody),
        "handovers": movements(centre.custody, "custody.offer"),
        "destructions": movements(centre.custody, "custody.destroy"),
        "figures": [{"entry": str(f.entry), "party": f.party, **f.data} for f in figures(centre.custody)],
        "issues": [
            {"entry": place, **issue}
            for place, content in statements(centre.custody, "custody.issue")
            for issue in content["issues"]
        ],
        "findings": [
            {"entry": place, **finding}
            for place, content in statements(centre.custody, "custody.finding")
            for finding in content["findings"]
        ],
    }


def _obligations(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    at = arguments.get("at") or centre.clock()[:10]
    try:
        day = date.fromisoformat(at)
    except ValueError as error:
        raise Refusal(f"{at!r} is not a date (YYYY-MM-DD)", "usage") from error
    return obligations_document(centre.obligations, day)


def _receipts(centre: Centre, arguments: Arguments) -> list[dict[str, Any]]:
    return [
        {"journal": r.journal, "by": r.by, "size": r.size, "kind": "ml-dsa-44" if r.kind == KIND_MLDSA44 else "ed25519"}
        for party in sorted(centre.record.journals)
        for r in centre.store.receipts(party)
    ]


def _export(centre: Centre, arguments: Arguments) -> str:
    if arguments.get("to"):  # never in the clear instead
        raise Refusal("encrypting a bundle to its recipients is for the station", "usage")
    data = export_bundle(
        centre,
        arguments.get("purpose", "dossier"),
        arguments.get("as-of"),
        openings=bool(arguments.get("openings", False)),
    )
    return base64.b64encode(data).decode()


def _import(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    imported = import_bundle(centre, base64.b64decode(arguments["data"]))
    return {"entries": imported.entries, "forks": imported.forks, "unmet": imported.unmet}


def _audit(centre: Centre, arguments: Arguments) -> list[str]:
    return audit_record(centre.record, centre.store.leaves, centre.store.checkpoint)


def _rebuild(centre: Centre, arguments: Arguments) -> dict[str, int]:
    centre.reload()
    return {party: len(state.entries) for party, state in sorted(centre.record.journals.items())}


def _pack(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    record = centre.record
    return record.packs[arguments.get("digest") or record.in_force(record.whole) or record.agreement].data


def _bring(centre: Centre, arguments: Arguments) -> str:
    return take_pack(centre, base64.b64decode(arguments["pack"]))


def _fork(centre: Centre, arguments: Arguments) -> str:
    for proofs in centre.store.forks().values():
        if arguments["name"] in proofs:
            return base64.b64encode(proofs[arguments["name"]]).decode()
    raise Refusal(f"no proof {arguments['name']}; `servanda status` lists them", "no-proof")


COMMANDS: dict[str, Command] = {
    "status": _status,
    "log": _log,
    "show": _show,
    "drafts": _drafts,
    "draft": _draft,
    "submit": _submit,
    "withdraw": _withdraw,
    "release": _release,
    "send": _send,
    "acknowledge": _acknowledge,
    "reveal": _reveal,
    "accounting": _accounting,
    "obligations": _obligations,
    "receipts": _receipts,
    "export": _export,
    "import": _import,
    "audit": _audit,
    "rebuild": _rebuild,
    "pack": _pack,
    "bring": _bring,
    "fork": _fork,
    **linework.COMMANDS,
    **advancing.COMMANDS,
    **link_tests.COMMANDS,
    **silences.COMMANDS,
    **casework.COMMANDS,
    **interchange.COMMANDS,
    **reporting.COMMANDS,
    **reconciling.COMMANDS,
    **discrepancies.COMMANDS,
    **bookkeeping.COMMANDS,
    **reviewing.COMMANDS,
    **dialogue.COMMANDS,
    **tableworks.COMMANDS,
    **inspecting.COMMANDS,
    **tracing.COMMANDS,
}
CHANGING = (
    frozenset({"release", "send", "acknowledge", "import", "link-test"}) | casework.CHANGING | tableworks.CHANGING
)
"""Commands after which deliveries have something to do."""
