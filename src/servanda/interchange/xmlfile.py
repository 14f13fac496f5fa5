# SPDX-License-Identifier: Apache-2.0
"""An XML file of strangers as a small tree: bounded in size, depth and number, without document types or entities.

Document types are refused altogether, and with them every entity that could expand or point elsewhere; the bounds are
held while the parser reads, so that no file is built up in memory before it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from servanda.interchange.errors import InterchangeError

XML_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 16
ELEMENTS_MAX = 10_000


class Node:
    """One element: its namespace, its name, its text without surrounding space, its children in order."""

    def __init__(self, tag: str) -> None:
        self.namespace, _, self.name = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
        self.children: list[Node] = []
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The text directly within."""
        return "".join(self._parts).strip()

    def add(self, text: str) -> None:
        """Take more text."""
        self._parts.append(text)

    def all(self, name: str) -> Iterator[Node]:
        """The children of a name."""
        return (child for child in self.children if child.name == name)

    def one(self, name: str) -> str:
        """The text of the first child of a name, or nothing."""
        return next((child.text for child in self.all(name)), "")


class _Target:
    """What the parser calls: builds the tree and holds the bounds."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._open: list[Node] = []
        self._count = 0
        self.root: Node | None = None

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        node = Node(tag)
        self._count += 1
        if len(self._open) >= DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise InterchangeError(f"more than {DEPTH_MAX} levels or {ELEMENTS_MAX} elements", self._code)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].add(text)

    def close(self) -> Node | None:
        return self.root


def read_xml(data: bytes, code: str) -> Node:
    """The root element of an XML file.

    Args:
        data: the file.
        code: of the error if it cannot be read.

    Raises:
        InterchangeError: `over-size` above 1 MiB; `code` if it is not well-formed, has a document type or an entity,
            or is nested too deeply.
    """
    if len(data) > XML_BYTES_MAX:
        raise InterchangeError(f"larger than {XML_BYTES_MAX} bytes", "over-size")
    target = _Target(code)
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        parser.feed(data)
        parser.close()
    except InterchangeError:
        raise
    except DefusedXmlException as error:
        raise InterchangeError("a document type or an entity; neither is taken", code) from error
    except (ParseError, ValueError, LookupError, AssertionError) as error:
        raise InterchangeError(f"not well-formed XML: {error}", code) from error
    if target.root is None:
        raise InterchangeError("no element", code)
    return target.root
