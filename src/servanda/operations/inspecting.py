# SPDX-License-Identifier: Apache-2.0
"""What officers ask and do about inspections: sample sizes, plans, the next step of a draw, reports, what is open.

The commands are merged into those of the desk (`operations.desk`): plain JSON values in, plain JSON values out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.casework import instant_of, place_of
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, parse_draft, write_draft
from servanda.operations.errors import Refusal
from servanda.operations.rowopenings import check_opening, row_openings
from servanda.operations.sealing import draft_reveal
from servanda.proof.canonical import decode
from servanda.proof.tables import Row
from servanda.registers.custody.views import balances_document
from servanda.registers.inspections.clocks import standing
from servanda.registers.inspections.inspection import ALL, Mandate, Plan, frame_of, time_of
from servanda.registers.inspections.population import FormError, count_of, population_of, ranges_of
from servanda.registers.inspections.views import inspections_document, report_document
from servanda.verification.errors import VerificationError
from servanda.verification.exact import rational, rounded_down
from servanda.verification.sampling import defects_for, miss_decimal, sample_sizes
from servanda.verification.selection import (
    ALGORITHM,
    SECRET_BYTES,
    commitment,
    draw_id,
    draw_rows,
    joint_seed,
    stratum_seed,
)

Arguments = Mapping[str, Any]


def shown_rows(centre: Centre, table: str) -> Mapping[int, Row]:
    """Rows of a table whose openings this centre holds beside the record, each proved by one."""
    place = place_of(table)
    return {
        int(opening.opening["row"]): check_opening(centre, opening)
        for opening in row_openings(centre, place.party)
        if opening.entry.place == place
    }


def _inspections(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    now = instant_of(centre, arguments)
    return inspections_document(centre.inspections, now, lambda table: shown_rows(centre, table))


def _inspection(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    plan = _plan_at(centre, arguments)
    now = instant_of(centre, arguments)
    found = report_document(centre.inspections, plan, now, lambda table: shown_rows(centre, table))
    return {**found, "books": _books(centre, plan)}


def _books(centre: Centre, plan: Plan) -> list[dict[str, Any]]:
    """For each item with a finding, what the books say of it, beside what the inspector found. Neither overwrites."""
    lots = {lot["lot"]: lot for lot in balances_document(centre.custody)["lots"]}
    return [
        {
            "account": lots[item]["account"] if item in lots else None,
            "item": item,
            "outcome": finding.outcome,
            "place": lots[item]["place"] if item in lots else None,
        }
        for item, finding in plan.findings.items()
    ]


def _plan_at(centre: Centre, arguments: Arguments) -> Plan:
    place = place_of(arguments["plan"])
    plan = centre.inspections.plans.get(place)
    if plan is None:
        raise Refusal(
            f"{place} is no inspection plan that stands; `servanda inspect show` lists them", "inspections/no-plan"
        )
    return plan


def _mandate_at(centre: Centre, text: object) -> Mandate:
    place = place_of(text)
    mandate = centre.inspections.mandates.get(place)
    if mandate is None:
        raise Refusal(f"{place} is no mandate; `servanda inspect show` lists them", "inspections/no-mandate")
    return mandate


def sizes_of(population: int, arguments: Arguments) -> dict[str, Any]:
    """How many must be looked at: by the exact distribution, and beside it by the approximations.

    Raises:
        Refusal: the numbers do not go together (`inspections/sample-size`).
    """
    try:
        miss = rational(arguments["miss"])
        if arguments.get("goal") is not None:
            defects = defects_for(Fraction(arguments["goal"]), Fraction(arguments["each"] or 0))
        else:
            defects = int(arguments["defects"])
        sizes = sample_sizes(population, defects, miss)
        sample = int(arguments.get("sample") or sizes.exact)
        chance = miss_decimal(population, defects, sample)
    except VerificationError as error:
        raise Refusal(str(error), "inspections/sample-size") from error
    if miss.denominator > 999_999_999:
        raise Refusal(
            f"{arguments['miss']}: a plan states a ratio of two numbers of at most 9 digits", "inspections/sample-size"
        )
    return {
        "population": population,
        "defects": defects,
        "miss": f"{miss.numerator}/{miss.denominator}",
        "exact": sizes.exact,
        "approximate": sizes.approximate,
        "improved": sizes.improved,
        "sample": sample,
        "detection": rounded_down(1 - chance, 6),
    }


def _population(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    tables = []
    for text in arguments.get("tables") or ():
        name, _, spans = str(text).partition(":")
        table = centre.inspections.table_in(str(place_of(name)), centre.record.whole)
        rows = [_span(span) for span in spans.split(",")] if spans else [[0, table.rows - 1]]
        try:
            count = count_of(ranges_of(rows))
        except FormError as error:
            raise Refusal(f"{text}: {error}", "usage") from error
        tables.append({"count": count, "root": table.root, "rows": rows, "table": table.name})
    lots, places = list(arguments.get("lots") or ()), list(arguments.get("places") or ())
    return {"lots": lots, "places": places, "tables": tables}


def _span(text: str) -> list[int]:
    first, sign, last = text.partition("-")
    if not first.isdecimal() or (sign and not last.isdecimal()):
        raise Refusal(f"{text!r} are no rows; write 0-99, or 7, with commas between", "usage")
    return [int(first), int(last if sign else first)]


def _size(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("population"):
        return sizes_of(int(arguments["population"]), arguments)
    return sizes_of(_listed(centre, arguments)[1], arguments)


def _listed(centre: Centre, arguments: Arguments) -> tuple[dict[str, Any], int]:
    listed = _population(centre, arguments)
    try:
        return listed, population_of(listed).size
    except FormError as error:
        raise Refusal(f"the list to draw from: {error}", "usage") from error


def _draft_plan(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    mandate = _mandate_at(centre, arguments["mandate"])
    listed, size = _listed(centre, arguments)
    sizes = sizes_of(size, {**arguments, "sample": size if arguments.get("all") else arguments.get("sample")})
    frame, minutes = frame_of(mandate.entry), mandate.content["limits"]["draw-minutes"]
    now = _now(centre, frame.exercise_at)
    content = {
        "population": listed,
        "sample": sizes["sample"],
        "defects": sizes["defects"],
        "miss": sizes["miss"],
        "algorithm": ALL if arguments.get("all") else ALGORITHM,
        "begins": arguments.get("begins") or instant_text(now)[:10],
        "ends": arguments.get("ends") or arguments.get("begins") or instant_text(now)[:10],
    }
    if arguments.get("goal") is not None:
        content["goal"] = {name: arguments[name] for name in ("each", "unit")} | {"amount": arguments["goal"]}
    if not arguments.get("all"):
        content["commit-by"] = arguments.get("commit-by") or instant_text(now + 60 * (2 * minutes))
        content["reveal-by"] = arguments.get("reveal-by") or instant_text(now + 60 * (4 * minutes))
    draft = _draft(centre, mandate.entry, "inspection.plan", arguments, content)
    return {**sizes, "draft": write_draft(centre, draft), "content": content}


def _now(centre: Centre, exercise_at: str | None) -> int:
    return instant_seconds(exercise_at or centre.clock())


def _draft(
    centre: Centre, about: Entry, effect: str, arguments: Arguments, content: dict[str, Any], **members: Any
) -> Draft:
    """The draft of an entry about another: its status, its clock, to all who take part."""
    frame = frame_of(about)
    sides = {about.place.party, *frame.to, *(frame.named or ())} - {centre.party}
    exercise_at = arguments.get("exercise-at") or frame.exercise_at
    form = arguments.get("format") or _format_with(centre, effect)
    return Draft(
        format=form,
        subject=arguments.get("subject") or f"{form} about {about.place}",
        event_at=(exercise_at or centre.clock())[:10],
        author=arguments["officer"],
        content=content,
        to=tuple(sorted(sides)),
        refers_to=(str(about.place),),
        status=frame.status,
        exercise_at=exercise_at,
        **members,
    )


def _format_with(centre: Centre, effect: str) -> str:
    record = centre.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    found = [form.identifier for form in pack.formats.values() if form.effect == effect]
    if len(found) != 1:
        raise Refusal(f"the pack has {len(found)} formats with the effect {effect}; name one with --format", "usage")
    return found[0]


def _draw(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """The next step of this party in a draw: a draft that commits, a draft that reveals, or what is waited for."""
    plan = _plan_at(centre, arguments)
    now = instant_of(centre, {"at": arguments.get("at") or arguments.get("exercise-at")})
    stands = standing(centre.record, plan, now)
    found: dict[str, Any] = {"state": stands.state, "denied": stands.denied, "forfeit": stands.forfeit}
    found |= {"draft": None, "does": None, "waits-for": [], "drawn": None}
    sample = plan.sample()
    if sample is not None:
        return {**found, "drawn": sample[1], "seed": sample[0].hex()}
    party = centre.party
    if plan.terms is None or party not in plan.mandate.sides or party in plan.reveals or party in plan.spent:
        return {**found, "waits-for": [p for p in plan.parties if p not in plan.reveals] if plan.terms else []}
    if party not in plan.commitments:
        waiting = _waiting_draft(centre, plan.place, "commitment")
        return {**found, "does": "commit", "draft": waiting or _commit(centre, plan, arguments)}
    missing = [other for other in plan.parties if other not in plan.commitments]
    if missing:
        return {**found, "waits-for": missing}
    own = plan.commitments[party]
    unproved = [p for p in plan.parties if p != party and not _receipted(centre, own.place, p)]
    if unproved and not arguments.get("now"):
        return {**found, "waits-for": unproved, "why": "receipt"}
    waiting = _waiting_draft(centre, own.place, "disclosures")
    reveal = waiting or write_draft(centre, draft_reveal(centre, own.place, ("secret",), arguments["officer"]))
    return {**found, "does": "reveal", "draft": reveal}


def _waiting_draft(centre: Centre, about: Place, member: str) -> str | None:
    """A draft with such a member about an entry that waits for its release already: one secret is enough."""
    for stored in centre.store.drafts():
        if stored.state in ("draft", "submitted"):
            draft = parse_draft(decode(stored.body))
            if draft.refers_to[:1] == (str(about),) and member in draft.content:
                return stored.identifier
    return None


def _receipted(centre: Centre, place: Place, party: str) -> bool:
    """Whether a party's receipt, or an entry of it, shows that it holds our entry."""
    covered = centre.record.journals[party].heads_after(len(centre.record.journals[party].entries))
    held = [receipt.size for receipt in centre.store.receipts(place.party) if receipt.by == party]
    return max([covered.get(place.party, 0), *held]) >= place.number


def _commit(centre: Centre, plan: Plan, arguments: Arguments) -> str:
    if plan.terms is None:
        raise Refusal(f"{plan.place} looks at everything: there is nothing to draw", "inspections/no-plan")
    secret, name = secrets.token_bytes(SECRET_BYTES), draw_id(plan.terms)
    content = {
        "draw": name.hex(),
        "commitment": commitment(name, centre.party, secret).hex(),
        "sample": plan.content["sample"],
        "algorithm": ALGORITHM,
        "secret": secret.hex(),
    }
    draft = _draft(centre, plan.entry, "inspection.commit", arguments, content, seal=("secret",))
    return write_draft(centre, draft)


def _proof(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """All that a draw rests on: whoever has it draws again, and finds each part in a dossier by its leaf."""
    plan = _plan_at(centre, arguments)
    sample = plan.sample()
    if sample is None:
        raise Refusal(f"{plan.place}: nothing is drawn yet", "inspections/draw-open")
    return {
        "commitments": [_part(plan.commitments[party], "commitment") for party in plan.parties],
        "drawn": sample[1],
        "plan": {"entry": str(plan.place), "leaf": plan.entry.hash.hex()},
        "secrets": [
            {
                "entry": str(plan.reveals[party][0].place),
                "leaf": plan.reveals[party][0].hash.hex(),
                "party": party,
                "secret": plan.reveals[party][1].hex(),
            }
            for party in plan.parties
        ],
        "seed": sample[0].hex(),
        "servanda-draw-proof": 1,
        "terms": plan.terms,
    }


def _part(entry: Entry, member: str) -> dict[str, str]:
    content = frame_of(entry).content
    return {
        "at": instant_text(time_of(entry)),
        member: content[member],
        "entry": str(entry.place),
        "leaf": entry.hash.hex(),
        "party": entry.place.party,
    }


def replayed(proof: Any) -> list[str]:
    """The items that follow from a proof of a draw; that its entries are signed is for a dossier to show.

    Raises:
        Refusal: it is no such proof (`usage`), or does not prove what it says (`draw-proof`).
    """
    try:
        terms, stratum = proof["terms"], proof["terms"]["strata"][0]
        name = draw_id(terms)
        listed = {"lots": stratum["lots"], "places": stratum["places"], "tables": stratum["population"]}
        population = population_of(listed)
        known = {each["party"]: bytes.fromhex(each["secret"]) for each in proof["secrets"]}
        said = {each["party"]: each["commitment"] for each in proof["commitments"]}
        bound = {party: commitment(name, party, secret).hex() for party, secret in known.items()}
        seed = joint_seed(name, known)
        positions = draw_rows(stratum_seed(seed, stratum["stratum"]), population.size, stratum["sample"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Refusal(f"this is no proof of a draw: {error}", "usage") from error
    if sorted(known) != terms["parties"] or said != bound:
        raise Refusal("a secret is missing, or is not the one that its party committed to", "draw-proof")
    drawn = population.items(positions)
    if proof["drawn"] != drawn or proof["seed"] != seed.hex():
        raise Refusal("the seed or the items drawn are not those that follow from the secrets", "draw-proof")
    return drawn


COMMANDS = {
    "inspections": _inspections,
    "inspection": _inspection,
    "inspection-size": _size,
    "inspection-plan": _draft_plan,
    "inspection-draw": _draw,
    "inspection-proof": _proof,
}
