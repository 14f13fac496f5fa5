# SPDX-License-Identifier: Apache-2.0
"""Which stable codes does the source give to errors, verdicts, refused postings and discrepancies? Read, not run.

Every callable with a parameter `code` is found first, then every constant that is handed to one. A code that is put
together in another way would be missed: a register's own word behind its name is the only such one, and is put together
here as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "servanda"
REASONS = {
    "registers/custody/": "posting",
    "registers/agreements/": "agreement",
    "registers/alerts/": "alerts",
    "registers/books/": "books",
    "registers/discrepancies/": "discrepancy",
    "registers/handovers/": "handovers",
    "registers/sites/": "sites",
    "registers/commitments/": "commitments",
    "registers/dialogue/": "dialogue",
    "registers/inspections/": "inspections",
    "line/link_tests.py": "link",
    "line/regimes.py": "regime",
}
"""Where a `Refused` has a reason, and what its code begins with."""


def codes() -> dict[str, set[str]]:
    """Every code, with the files that give it."""
    trees = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}
    places = _places(trees.values())
    found: dict[str, set[str]] = {}
    for name, tree in trees.items():
        kind = next((kind for start, kind in REASONS.items() if name.startswith(start)), "")
        for code in _codes_in(tree, places, kind):
            found.setdefault(code, set()).add(name)
    return found


def _places(trees: Iterable[ast.Module]) -> dict[str, int]:
    """Callables with a parameter `code`: name to its position among the arguments of a call."""
    places: dict[str, int] = {}
    bases: list[tuple[str, list[str]]] = []
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.append((node.name, [base.id for base in node.bases if isinstance(base, ast.Name)]))
                fields = [ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)]
                places |= {node.name: fields.index("code")} if "code" in fields else {}
                for item in node.body:
                    if isinstance(item, ast.FunctionDef) and (at := _position(item)) is not None:
                        places[node.name if item.name == "__init__" else item.name] = at - 1
            elif isinstance(node, ast.FunctionDef) and (at := _position(node)) is not None:
                places.setdefault(node.name, at)
    for name, parents in bases * 3:  # no class here is more than three generations from the one that takes the code
        known = [places[parent] for parent in parents if parent in places]
        if known:
            places.setdefault(name, known[0])
    return places


def _position(function: ast.FunctionDef) -> int | None:
    names = [argument.arg for argument in function.args.args]
    return names.index("code") if "code" in names else None


def _codes_in(tree: ast.Module, places: dict[str, int], kind: str) -> Iterator[str]:
    reasons = {"Refused": 0} | {
        node.name: [argument.arg for argument in node.args.args].index("reason") - 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(argument.arg == "reason" for argument in node.args.args)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if kind and name in reasons:
                yield from (f"{kind}/{reason}" for reason in _texts(node.args[reasons[name]]))
            elif name in places and len(node.args) > places[name]:
                yield from _texts(node.args[places[name]])
            yield from (text for keyword in node.keywords if keyword.arg == "code" for text in _texts(keyword.value))
        elif isinstance(node, ast.Assign):
            yield from _assigned(node)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from (
                text
                for key, value in pairs
                if key and "code" in _texts(key)
                for text in _texts(value)
                if text.isascii()
            )
        elif isinstance(node, ast.FunctionDef):
            defaults = zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
            yield from (text for argument, value in defaults if argument.arg == "code" for text in _texts(value))


def _assigned(node: ast.Assign) -> Iterator[str]:
    for target in node.targets:
        pairs = (
            zip(target.elts, node.value.elts, strict=True)
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            else [(target, node.value)]
        )
        for one, value in pairs:
            if (isinstance(one, ast.Name) and one.id == "code") or (
                isinstance(one, ast.Attribute) and one.attr == "code"
            ):
                yield from _texts(value)


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
