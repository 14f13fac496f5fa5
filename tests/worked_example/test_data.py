# SPDX-License-Identifier: Apache-2.0
"""Is the data of the worked example consistent in itself, before any code of ours reads it?"""

import copy
import csv
import datetime as dt
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACK_FOLDER = ROOT / "agreements" / "syria-2013"
EXAMPLE = ROOT / "examples" / "syria-2013"
LANGUAGES = {"en", "fr", "ru", "ar"}
GRADES = {"P", "P via press", "S", "D", "X"}
SCHEMA_WORDS_TEXT = """
    type properties required additionalProperties items minItems maxItems uniqueItems enum const minimum maximum
    minLength maxLength pattern title description
"""
BUILT_IN = {"accept", "correct"}
TONNE = 1_000_000

Table = dict[str, Any]


def load_pack() -> Table:
    pack: Table = {}
    for path in sorted(PACK_FOLDER.glob("*.toml")):
        for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            assert key not in pack, f"{path.name}: {key} stands in two files"
            pack[key] = value
    return pack


PACK = load_pack()
STEPS: list[Table] = tomllib.loads((EXAMPLE / "replay.toml").read_text(encoding="utf-8"))["step"]
BY_ID = {step["id"]: step for step in STEPS}
FORMATS = {entry["id"]: entry for entry in PACK["formats"]}
SCHEMAS: dict[str, Table] = {
    p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (PACK_FOLDER / "fields").glob("*")
}
OBLIGATIONS = {entry["id"]: entry for entry in PACK["obligations"]}
with (EXAMPLE / "sources.csv").open(encoding="utf-8", newline="") as _file:
    SOURCES = {row["key"]: row["title"] for row in csv.DictReader(_file)}


def ids(table: str) -> set[str]:
    return {entry["id"] for entry in PACK[table]}


def is_texts(value: object) -> bool:
    return isinstance(value, dict) and set(value) == LANGUAGES and all(isinstance(t, str) and t for t in value.values())


def resolved(step: Table) -> Table:
    """The content with `step#row` written as a lot's name; the step's place stands in for the entry number."""
    text = json.dumps(step["content"])

    def name(match: re.Match[str]) -> str:
        return f'"{BY_ID[match[1]]["party"]}/{STEPS.index(BY_ID[match[1]])}/{match[2]}"'

    content: Table = json.loads(re.sub(r'"([a-z0-9-]+)#([0-9]+)"', name, text))
    return content


def days(expression: str) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of a date expression."""

    def bound(part: str, last: bool) -> dt.date | None:
        if part == "..":
            return None
        if len(part) == 4:
            return dt.date(int(part), 12, 31) if last else dt.date(int(part), 1, 1)
        if len(part) == 7:
            first = dt.date.fromisoformat(part + "-01")
            return (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1) if last else first
        return dt.date.fromisoformat(part[:10])

    parts = expression.split("/")
    return bound(parts[0], False), bound(parts[-1], True)


# --- The pack ---


def test_ids_are_unique_and_every_text_is_there_in_every_language() -> None:
    for table in ["parties", "units", "items", "places", "events", "formats", "obligations", "bodies", "alerts"]:
        entries = PACK[table]
        assert len({entry["id"] for entry in entries}) == len(entries), table
        for entry in entries:
            assert re.fullmatch(r"[a-z][a-z0-9-]{0,31}|O[0-9]{2}", entry["id"])
            for key in ("names", "role", "purpose", "text", "cadence"):
                assert key not in entry or is_texts(entry[key]), (table, entry["id"], key)
            assert "names" in entry
    assert is_texts(PACK["title"])
    assert set(PACK["languages"]) == LANGUAGES


def test_the_pack_refers_only_to_what_it_defines() -> None:
    parties = ids("parties")
    for item in PACK["items"]:
        assert item["unit"] in ids("units")
        assert item.get("within") is None or item["within"] in ids("items")
    for entry in PACK["formats"]:
        assert set(entry["may-send"]) <= parties
        assert set(entry["witnesses"]) <= parties
        assert entry["release"] == "two"
    for body in PACK["bodies"]:
        assert set(body["members"]) <= parties
    for obligation in PACK["obligations"]:
        assert obligation["obligors"]
        assert set(obligation["obligors"]) | set(obligation["judged-by"]) <= parties
        due = obligation["due"]
        assert due.get("event", "ec33-adoption") in ids("events")
        assert due.get("trigger", "delay-report") in FORMATS
        assert due["rule"] != "unstated" or is_texts(due["text"])


def test_there_are_28_obligations_each_with_keys_and_a_grade_and_silence_is_no_evidence() -> None:
    assert sorted(OBLIGATIONS) == [f"O{n:02d}" for n in range(1, 29)]
    for obligation in OBLIGATIONS.values():
        keys, _, grade = obligation["source"].partition("; grade ")
        assert set(keys.split("; ")) <= set(SOURCES)
        assert grade.removesuffix(" (date)") in GRADES
        assert obligation["absence"] == "not-stated"


def schema_words(schema: Table) -> set[str]:
    found = set(schema)
    if "properties" in schema:
        assert schema["additionalProperties"] is False
        assert set(schema.get("required", [])) <= set(schema["properties"])
        for value in schema["properties"].values():
            found |= schema_words(value)
    if "items" in schema:
        found |= schema_words(schema["items"])
    if "pattern" in schema:
        assert schema["pattern"].startswith("^")
        assert schema["pattern"].endswith("$")
        assert "(?" not in schema["pattern"]
    assert isinstance(schema["type"], str)
    return found


def test_every_format_has_a_field_schema_of_the_allowed_words_with_source_and_grade() -> None:
    assert set(SCHEMAS) == set(FORMATS)
    for name, schema in SCHEMAS.items():
        assert schema_words(schema) <= set(SCHEMA_WORDS_TEXT.split()), name
        assert {"source", "grade"} <= set(schema["properties"])
        assert ("performs" in schema["properties"]) == FORMATS[name]["performs"]


# --- The replay ---


def test_steps_are_unique_known_and_in_the_order_of_the_clock() -> None:
    assert len(BY_ID) == len(STEPS)
    clocks = [step["clock"] for step in STEPS]
    assert clocks == sorted(clocks)
    parties, seen = ids("parties"), set[str]()
    for step in STEPS:
        dt.datetime.strptime(step["clock"], "%Y-%m-%dT%H:%M:%SZ")
        assert step["format"] in FORMATS or step["format"] in BUILT_IN
        assert step["party"] in parties
        assert step["to"] == sorted(set(step["to"]) - {step["party"]})
        assert set(step["to"]) | set(step.get("named", [])) <= parties
        assert 1 <= len(step["subject"]) <= 500
        assert len(step["id"]) <= 40
        lots = re.findall(r'"([a-z0-9-]+)#[0-9]+"', json.dumps(step.get("content", {})))
        for reference in [*step.get("refers-to", []), *lots]:
            assert reference in seen, (step["id"], reference)
        seen.add(step["id"])


def test_dates_exist_and_nothing_is_entered_before_it_happened() -> None:
    for step in STEPS:
        first, last = days(step["date"])
        assert first or last
        assert first is None or last is None or first <= last
        assert first is None or first <= dt.date.fromisoformat(step["clock"][:10]), step["id"]
        weekday = step.get("as-stated", {}).get("weekday")
        if weekday:
            assert first is not None
            assert weekday == first.strftime("%A").lower(), step["id"]


def test_every_content_fits_the_schema_of_its_format() -> None:
    for step in STEPS:
        if step["format"] in FORMATS:
            content, name = resolved(step), step["format"]
        elif step["format"] == "correct":
            content, name = step["content"]["content"], BY_ID[step["refers-to"][0]]["format"]
        else:
            assert "content" not in step
            continue
        errors = [error.message for error in jsonschema_rs.Draft202012Validator(SCHEMAS[name]).iter_errors(content)]
        assert not errors, (step["id"], errors)


def test_a_schema_refuses_what_it_does_not_name() -> None:
    content = copy.deepcopy(resolved(BY_ID["declaration"]))
    content["lots"][0]["surprise"] = 1
    assert not jsonschema_rs.Draft202012Validator(SCHEMAS["initial-declaration"]).is_valid(content)


def test_senders_witnesses_and_receivers_are_those_of_the_pack() -> None:
    for step in STEPS:
        if step["format"] not in FORMATS:
            continue
        entry = FORMATS[step["format"]]
        assert not entry["may-send"] or step["party"] in entry["may-send"], step["id"]
        assert (entry["act"] == "offer") == ("named" in step), step["id"]
        if entry.get("effect") == "custody.offer":
            assert step["named"] == [step["content"]["receiver"]]
        if entry["act"] == "offer":
            assert set(entry["witnesses"]) <= set(step["named"])
            answers = {s["party"] for s in STEPS if s.get("offer") == step["id"]}
            assert answers == set(step["named"]), step["id"]


def carriers(value: object) -> list[Table]:
    """Every table in a value that carries a source."""
    if isinstance(value, dict):
        own = [value] if "source" in value else []
        return own + [c for v in value.values() for c in carriers(v)]
    return [c for v in value for c in carriers(v)] if isinstance(value, list) else []


def test_every_step_has_a_known_source_and_a_grade_and_every_source_is_used() -> None:
    used: set[str] = set()
    for step in STEPS:
        home = step["content"] if step["format"] in FORMATS else step
        assert "source" in home, step["id"]
        for table in carriers(step):
            assert table["grade"] in GRADES
            used |= set(table["source"].split("; "))
    for obligation in OBLIGATIONS.values():
        used |= set(obligation["source"].partition("; grade ")[0].split("; "))
    assert used == set(SOURCES)


def test_units_kinds_and_places_are_those_of_the_pack() -> None:
    units = {item["id"]: item["unit"] for item in PACK["items"]}
    for step in STEPS:
        content = step.get("content", {})
        for row in [*content.get("parts", []), *content.get("residue", []), *content.get("lots", [])]:
            if isinstance(row, dict) and "kind" in row:
                assert row["quantity"]["unit"] == units[row["kind"]]
                assert row["place"] in ids("places")
        for figure in content.get("figures", []):
            assert figure["unit"] in ids("units")
            days(figure["as-of"])
        assert content.get("place", "syria") in ids("places")


# --- What the figures say ---


def figures(subject: str) -> set[int]:
    rows = [f for s in STEPS for f in s.get("content", {}).get("figures", []) if f["subject"] == subject]
    return {f["value"]["amount"] for f in rows if "amount" in f["value"]}


def test_competing_totals_stand_side_by_side() -> None:
    assert figures("total-declared") == {1_300 * TONNE, 1_301_300_000, 1_328 * TONNE, 1_335 * TONNE}
    assert figures("isopropanol-declared") == {120 * TONNE, 122 * TONNE, 133 * TONNE}
    assert figures("df-declared") == {581 * TONNE, 581_500_000}
    assert figures("last-consignment-share") == {720, 728, 800}
    assert figures("destroyed-share") == {3180, 3200, 7420, 8430, 9400, 9580, 9800, 9880, 10000}
    assert figures("unfilled-munitions-declared") == {1_230, 1_260}


def test_the_two_bases_of_removal_are_never_mixed() -> None:
    for step in STEPS:
        for figure in step.get("content", {}).get("figures", []):
            if figure["subject"] == "removed-or-destroyed-share-RD":
                assert figure["basis"] == "RD"
            if figure["subject"] == "removed-share-R":
                assert figure["basis"].split(",")[0] == "R"


def test_a_format_of_its_own_takes_shares_of_no_other_basis() -> None:
    basis = SCHEMAS["shipment-shares"]["properties"]["figures"]["items"]["properties"]["basis"]["pattern"]
    assert all(re.fullmatch(basis, text) for text in ("R", "RD", "R, forecast", "R, derived from the two"))
    assert not any(re.fullmatch(basis, text) for text in ("R and RD", "of all declared", "RR"))
    shares = [step for step in STEPS if step["format"] == "shipment-shares"]
    assert len(shares) == 6
    for step in shares:
        assert len({figure["basis"].split(",")[0] for figure in step["content"]["figures"]}) == 1


def due_date(rule: Table) -> dt.date:
    if rule["rule"] == "days-after":
        event = next(e for e in PACK["events"] if e["id"] == rule["event"])
        return dt.date.fromisoformat(event["date"]) + dt.timedelta(days=rule["days"])
    return dt.date.fromisoformat(rule["date"])


def evidence(obligation: str) -> list[tuple[dt.date, dt.date, int, int]]:
    """Evidence that counts: last day, first day, done, of; in the order of the register."""
    found = []
    for step in STEPS:
        if step["format"] not in FORMATS or step["party"] not in OBLIGATIONS[obligation]["judged-by"]:
            continue
        for claim in step["content"].get("performs", []):
            if claim["obligation"] == obligation:
                first, last = days(step["date"])
                found.append((last or dt.date.max, first or dt.date.min, claim.get("done", 1), claim.get("of", 1)))
    return sorted(found)


@pytest.mark.parametrize(
    ("obligation", "least", "most"),
    [
        ("O01", 0, 0),
        ("O03", -1, -1),
        ("O07", 0, 0),
        ("O09", -4, -4),
        ("O11", -1, -1),
        ("O16", 0, 0),
        ("O17", 174, 174),
        ("O18", -16, -16),
        ("O20", 138, 138),
        ("O21", 55, 82),
        ("O22", 1105, 1927),
        ("O23", 135, 140),
        ("O24", 553, 553),
        ("O27", 57, 57),
        ("O28", 163, 163),
    ],
)
def test_the_first_complete_evidence_is_as_many_days_late_as_the_record_says(
    obligation: str, least: int, most: int
) -> None:
    last, first, _, _ = next(e for e in evidence(obligation) if e[2] == e[3])
    due = due_date(OBLIGATIONS[obligation]["due"])
    assert ((first - due).days, (last - due).days) == (least, most)


def test_the_additional_submission_is_in_time_although_its_day_is_unknown() -> None:
    last, first, _, _ = evidence("O06")[0]
    assert first == dt.date.min
    assert last == dt.date(2013, 10, 3) < due_date(OBLIGATIONS["O06"]["due"])


def test_inspections_are_partly_met_with_21_of_23_sites_at_the_due_date() -> None:
    rows, due = evidence("O10"), due_date(OBLIGATIONS["O10"]["due"])
    assert due == dt.date(2013, 10, 27)
    assert all(done < of for _, _, done, of in rows)
    assert next(e for e in rows if e[0] >= due)[2:] == (21, 23)
    assert rows[-1][2:] == (22, 23)


def test_nothing_is_put_forward_for_what_was_not_found() -> None:
    assert not any(evidence(obligation) for obligation in ("O05", "O08", "O12", "O13", "O19", "O26"))


# --- What the custody steps add up to ---


class Book:
    """Holders and amounts by the steps alone: every offer is accepted, and counts from its last acceptance."""

    def __init__(self) -> None:
        self.lots: dict[str, Table] = {}
        self.parents = {item["id"]: item.get("within") for item in PACK["items"]}

    def within(self, kind: str | None, broader: str) -> bool:
        return kind is not None and (kind == broader or self.within(self.parents[kind], broader))

    def open(self, name: str, row: Table, account: str, pool: str) -> None:
        quantity = row["quantity"]
        self.lots[name] = {
            "account": account,
            "amount": quantity.get("amount"),
            "kind": row["kind"],
            "pool": pool,
            "unit": quantity["unit"],
        }

    def split(self, name: str, content: Table) -> None:
        lot = self.lots[content["lot"]]
        for index, row in enumerate(content["parts"]):
            assert self.within(row["kind"], lot["kind"])
            self.open(f"{name}#{index}", row, lot["account"], lot["pool"])
        amounts = [row["quantity"].get("amount") for row in content["parts"]]
        lot["amount"] = None if lot["amount"] is None or None in amounts else lot["amount"] - sum(amounts)

    def merge(self, name: str, content: Table) -> None:
        old = [self.lots.pop(key) for key in content["lots"]]
        assert len({lot["pool"] for lot in old}) == 1
        assert all(self.within(lot["kind"], content["kind"]) for lot in old)
        assert None in [lot["amount"] for lot in old]
        self.lots[f"{name}#0"] = old[0] | {"kind": content["kind"], "amount": None}

    def take(self, step: Table) -> None:
        content, party = step.get("content", {}), step["party"]
        effect = FORMATS.get(step["format"], {}).get("effect")
        for row in content.get("lots", []) if effect in ("custody.offer", "custody.destroy") else []:
            lot = self.lots[row["lot"]]
            assert (lot["account"], lot["amount"], lot["unit"]) == (
                f"held/{party}",
                row["quantity"].get("amount"),
                row["quantity"]["unit"],
            )
            lot["account"] = f"offered/{party}"
        for name in [content["lot"]] if "lot" in content else content["lots"] if effect == "custody.merge" else []:
            assert self.lots[name]["account"] == f"held/{party}", step["id"]
        if effect in ("custody.declare", "custody.found"):
            for index, row in enumerate(content["lots"]):
                name = f"{step['id']}#{index}"
                self.open(name, row, "found" if effect.endswith("found") else f"held/{party}", name)
        elif effect == "custody.split":
            self.split(step["id"], content)
        elif effect == "custody.merge":
            self.merge(step["id"], content)
        elif step["format"] == "correct":
            for index, row in enumerate(content["content"]["lots"]):
                self.lots[f"{step['refers-to'][0]}#{index}"]["amount"] = row["quantity"]["amount"]
        elif step["format"] == "accept" and step is [s for s in STEPS if s.get("offer") == step["offer"]][-1]:
            self.settle(BY_ID[step["offer"]])

    def settle(self, offer: Table) -> None:
        content, effect = offer["content"], FORMATS[offer["format"]].get("effect")
        for row in content.get("lots", []):
            self.lots[row["lot"]]["account"] = (
                f"held/{content['receiver']}" if effect == "custody.offer" else f"destroyed/{offer['party']}"
            )
        for index, row in enumerate(content.get("residue", [])):
            self.open(f"{offer['id']}#{index}", row, f"held/{offer['party']}", f"{offer['id']}#{index}")

    def sums(self) -> Counter[tuple[str, str]]:
        total: Counter[tuple[str, str]] = Counter()
        for lot in self.lots.values():
            total[lot["account"], lot["unit"]] += lot["amount"] or 0
        return total


def run_book(until: str | None = None) -> Book:
    book = Book()
    for step in STEPS:
        book.take(step)
        if step["id"] == until:
            break
    return book


def test_at_the_end_everything_declared_is_destroyed_and_one_amount_is_left_to_derive() -> None:
    book = run_book()
    stated = {
        ("destroyed/syr", "g"): 133 * TONNE,
        ("destroyed/syr", "piece"): 1_260,
        ("destroyed/usa", "g"): 715_400_000,
        ("destroyed/gbr", "g"): 196 * TONNE,
        ("destroyed/fin", "g"): 12 * TONNE,
        ("destroyed/fin", "g-effluent"): 5_463 * TONNE,
        ("destroyed/deu", "g-effluent"): 335_500_000,
        ("found", "piece"): 2,
    }
    assert book.sums() == Counter(stated)
    pool = [lot for lot in book.lots.values() if lot["pool"] == "declaration#0"]
    assert [lot["account"] for lot in pool if lot["amount"] is None] == ["destroyed/fin"]
    assert 1_195 * TONNE - sum(lot["amount"] or 0 for lot in pool) == 271_600_000


def test_syria_holds_nothing_for_removal_after_the_nineteenth_consignment() -> None:
    assert {s["id"][:3] for s in STEPS if s["format"] == "consignment-offer"} == {f"c{n:02d}" for n in range(1, 20)}
    held = {lot["kind"] for lot in run_book("c19-accept").lots.values() if lot["account"] == "held/syr"}
    assert held == set()


def test_the_carrying_states_hold_nothing_after_the_last_load() -> None:
    before, after = run_book("fin-2-split"), run_book("fin-2-accept")
    assert any(lot["account"] == "held/dkno" for lot in before.lots.values())
    assert not any("dkno" in lot["account"] for lot in after.lots.values())
