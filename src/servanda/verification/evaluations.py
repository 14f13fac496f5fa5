# SPDX-License-Identifier: Apache-2.0
"""A method by name and version, its inputs, its result: a document that can be signed, and computed anew by anyone.

Canonical JSON: no floats, rationals as texts in lowest terms, roots as decimals of 12 places. A method never changes
under its name; another way of computing has another number. docs/reference/verification-methods.md lists all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from servanda.proof.canonical import encode
from servanda.verification.errors import VerificationError
from servanda.verification.exact import ratio_text, rational, rounded
from servanda.verification.material_balance import (
    PLACES,
    SIGNS,
    Balance,
    Judged,
    Measurement,
    Term,
    balance,
    exceeds,
    sequence,
    shipper_receiver,
)
from servanda.verification.operator_inspector import Errors, Pair, compare
from servanda.verification.sampling import achieved, defects_for, miss_decimal, sample_sizes, smallest_sample
from servanda.verification.trend import cusum, page

Inputs = Mapping[str, Any]
Result = dict[str, Any]


def evaluation_document(method: str, inputs: Inputs) -> dict[str, Any]:
    """Return `{"inputs", "method", "result", "servanda-evaluation": 1}`.

    Raises:
        VerificationError: no such method, an input is missing, or the method refuses it.
    """
    if method not in METHODS:
        raise VerificationError(f"no method {method!r}; there are {', '.join(sorted(METHODS))}")
    try:
        result = METHODS[method](inputs)
    except KeyError as error:
        raise VerificationError(f"{method}: the input {error} is missing") from error
    return {"inputs": dict(inputs), "method": method, "result": result, "servanda-evaluation": 1}


def evaluation_bytes(method: str, inputs: Inputs) -> bytes:
    """Return the document in canonical JSON: the same bytes on every machine.

    Raises:
        VerificationError: as for `evaluation_document`.
        CanonicalError: an input has no canonical form, as a float.
    """
    return encode(evaluation_document(method, inputs))


def holds(document: Mapping[str, Any]) -> bool:
    """Return whether a document's result is what its method makes of its inputs; False for an unknown method."""
    try:
        return encode(evaluation_document(document["method"], document["inputs"])) == encode(dict(document))
    except (KeyError, TypeError, AttributeError, ValueError):
        return False


def _number(value: Any) -> Fraction:
    return Fraction(value) if type(value) is int else rational(value)


def _count(inputs: Inputs, name: str, default: int | None = None) -> int:
    value = inputs[name] if default is None else inputs.get(name, default)
    if type(value) is not int:
        raise VerificationError(f"{name} is a whole number, not {value!r}")
    return value


def _strings(values: tuple[Fraction, ...]) -> list[str]:
    return [ratio_text(value) for value in values]


def _sample_size(inputs: Inputs) -> Result:
    if "goal" in inputs:
        defects = defects_for(_number(inputs["goal"]), _number(inputs["mean"]))
    else:
        defects = _count(inputs, "defects")
    population, miss = _count(inputs, "population"), _number(inputs["miss"])
    test = _number(inputs.get("test", "1"))
    sizes = sample_sizes(population, defects, miss)
    n = smallest_sample(population, defects, miss, test)
    return {
        "approximate": sizes.approximate,
        "defects": defects,
        "improved": sizes.improved,
        "miss": rounded(miss_decimal(population, defects, n, test), PLACES),
        "perfect-test": sizes.exact,
        "sample": n,
    }


def _strata(inputs: Inputs) -> Result:
    """Each stratum by itself, as if the whole goal were taken from it; of mixed strata no one formula speaks."""
    shared = {name: inputs[name] for name in ("goal", "miss", "test") if name in inputs}
    found = [{"stratum": stratum["stratum"], **_sample_size({**stratum, **shared})} for stratum in inputs["strata"]]
    return {"sample": sum(row["sample"] for row in found), "strata": found}


def _achieved(inputs: Inputs) -> Result:
    found = achieved(
        _count(inputs, "population"),
        _count(inputs, "defects"),
        _count(inputs, "drawn"),
        missed=_count(inputs, "missed", 0),
        denied=_count(inputs, "denied", 0),
        test=_number(inputs.get("test", "1")),
    )
    return {name: rounded(value, PLACES) for name, value in found._asdict().items()}


def _term(data: Inputs) -> Term:
    return Term(data["part"], _measurement(data))


def _measurement(data: Inputs) -> Measurement:
    return Measurement(
        data["name"],
        _number(data["amount"]),
        _number(data["random"]),
        _number(data["systematic"]),
        data.get("shared", ""),
    )


def _judged(found: Judged) -> Result:
    return {"alarm": found.alarm, "difference": ratio_text(found.difference), "limit": rounded(found.limit, PLACES)}


def _balance_result(found: Balance, sigmas: Fraction) -> Result:
    return {
        "book": ratio_text(found.book),
        "muf": ratio_text(found.muf),
        "parts": {part: ratio_text(found.parts[part]) for part in SIGNS},
        "sigma": rounded(found.sigma, PLACES),
        "test": _judged(exceeds(found.muf, found.variance, sigmas)),
        "variance": ratio_text(found.variance),
    }


def _balance(inputs: Inputs) -> Result:
    return _balance_result(balance(map(_term, inputs["terms"])), _number(inputs["sigmas"]))


def _sequence(inputs: Inputs) -> Result:
    sigmas = _number(inputs["sigmas"])
    found = sequence([[_term(data) for data in period] for period in inputs["periods"]])
    trend = page(found.standardised, _number(inputs["slack"]), _number(inputs["limit"]))
    goal = _number(inputs["goal"]) if "goal" in inputs else None
    return {
        "covariances": [_strings(row) for row in found.covariances],
        "cumulative": [
            {**_judged(exceeds(total, variance, sigmas)), "reaches-goal": goal is not None and abs(total) >= goal}
            for total, variance in found.cumulative
        ],
        "page": {"alarm": trend.alarm, "statistic": [rounded(value, PLACES) for value in trend.statistic]},
        "periods": [_balance_result(one, sigmas) for one in found.balances],
        "sitmuf": [rounded(value, PLACES) for value in found.standardised],
    }


def _shipper_receiver(inputs: Inputs) -> Result:
    return _judged(
        shipper_receiver(_measurement(inputs["shipped"]), _measurement(inputs["received"]), _number(inputs["sigmas"]))
    )


def _cusum(inputs: Inputs) -> Result:
    values = [_number(value) for value in inputs["values"]]
    found = cusum(values, *(_number(inputs[name]) for name in ("target", "slack", "limit")))
    return {"alarm": found.alarm, "lower": _strings(found.lower), "upper": _strings(found.upper)}


def _page(inputs: Inputs) -> Result:
    start = _number(inputs["start"]) if "start" in inputs else None
    values = [_number(value) for value in inputs["values"]]
    found = page(values, _number(inputs["slack"]), _number(inputs["limit"]), start)
    return {"alarm": found.alarm, "statistic": _strings(found.statistic)}


def _operator_inspector(inputs: Inputs) -> Result:
    sides = [
        Errors(_number(inputs[side]["random"]), _number(inputs[side]["systematic"]))
        for side in ("operator", "inspector")
    ]
    pairs = [Pair(item["name"], _number(item["operator"]), _number(item["inspector"])) for item in inputs["items"]]
    found = compare(pairs, _count(inputs, "population"), sides[0], sides[1], _number(inputs["sigmas"]))
    return {
        "items": [{"name": name, **_judged(judged)} for name, judged in found.items],
        "stratum": _judged(found.stratum),
    }


METHODS: dict[str, Callable[[Inputs], Result]] = {
    "cusum-1": _cusum,
    "detection-achieved-1": _achieved,
    "material-balance-1": _balance,
    "material-balance-sequence-1": _sequence,
    "operator-inspector-1": _operator_inspector,
    "page-1": _page,
    "sample-size-1": _sample_size,
    "shipper-receiver-1": _shipper_receiver,
    "strata-1": _strata,
}
"""Every method by its name and version."""
