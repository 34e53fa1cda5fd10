"""Reads a NIBRS submission without trusting it: one report at a time, bounded in size, depth and number.

No DOCTYPE at all, so no entity, internal or external, can be declared; nothing is fetched; only UTF-8 is read, whatever
the file declares. Errors carry the parser's line at most, since its texts quote the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lxml import etree
from lxml.etree import _Element as Element

from services.shared.errors import Code, LeadError

# The import's limits in the contract.
MAX_BYTES = 16 * 1024 * 1024
MAX_REPORTS = 5_000
# The exchange specification nests 8 deep, and a full report has about 300 elements.
MAX_DEPTH = 32
MAX_ELEMENTS = 500_000
# Two are enough for NIBRS; reading n of them takes n * n steps.
MAX_ATTRIBUTES = 64

_CHUNK = 64 * 1024

# Conventional prefix to namespace without its version: a report reads alike in the 4.x and the 2019 and later editions.
_FAMILIES = {
    "nibrs": "http://fbi.gov/cjis/nibrs/",
    "cjis": "http://fbi.gov/cjis/",
    "nc": "http://release.niem.gov/niem/niem-core/",
    "j": "http://release.niem.gov/niem/domains/jxdm/",
    "s": "http://release.niem.gov/niem/structures/",
}


@dataclass(frozen=True, slots=True)
class Node:
    """An element and its path. Names in the path are the reader's own, never the file's, so it can be shown."""

    element: Element
    path: str

    def all(self, name: str) -> list[Node]:
        """Return the children called `name` (`j:Offense`), numbered from 1 in their paths."""
        found = [child for child in self.element if _is(child.tag, name)]
        return [Node(child, f"{self.path}/{name}[{number}]") for number, child in enumerate(found, 1)]

    def first(self, *names: str) -> Node | None:
        """Follow `names` downwards, the first child of each; None where one is missing."""
        node = self
        for name in names:
            child = next((c for c in node.element if _is(c.tag, name)), None)
            if child is None:
                return None
            node = Node(child, f"{node.path}/{name}")
        return node

    def text(self, *names: str) -> str:
        """Return the text at the end of `names`, trimmed; "" where it is missing or empty."""
        node = self.first(*names)
        return (node.element.text or "").strip() if node else ""

    def attribute(self, name: str) -> str:
        """Return the attribute called `name` (`s:id`), or ""."""
        return next((str(value) for key, value in self.element.attrib.items() if _is(str(key), name)), "")


def reports(data: bytes) -> Iterator[Node]:
    """Yield each report of a submission, whole, in order. It is emptied when the next one is asked for.

    Raises LeadError INVALID_ARGUMENT when the data is no such file or breaks a limit, also after some reports.
    """
    _check(data)
    number = 0
    for element in _below_root(data):
        if _is(element.tag, "nibrs:Report"):
            number += 1
            if number > MAX_REPORTS:
                raise refused(f"A submission holds at most {MAX_REPORTS} reports.")
            yield Node(element, f"/nibrs:Submission/nibrs:Report[{number}]")
        element.clear()
    if number == 0:
        raise refused("A submission holds at least one nibrs:Report.")


def refused(text: str) -> LeadError:
    """Make the error for a file that can't be read at all."""
    return LeadError(Code.INVALID_ARGUMENT, "INVALID_NIBRS", text)


def _check(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise refused(f"A submission is at most {MAX_BYTES // 1024 // 1024} MiB.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise refused("The file must be UTF-8.") from None
    # Refused in a comment, too: no exporter writes one, and a search can't be deceived about where it stands.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise refused("A DOCTYPE or an entity declaration is not accepted.")


def _below_root(data: bytes) -> Iterator[Element]:
    """Yield each child of the root when it has ended, while the rest is still unread."""
    depth = 0
    for event, element in _events(data):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise refused(f"The file nests deeper than {MAX_DEPTH} elements.")
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise refused(f"An element has at most {MAX_ATTRIBUTES} attributes.")
        if event == "start" and depth == 1 and not _is(element.tag, "nibrs:Submission"):
            raise refused("The root must be nibrs:Submission.")
        if event == "end" and depth == 1:
            yield element


def _events(data: bytes) -> Iterator[tuple[str, Element]]:
    parser = _parser()
    started = 0
    chunks = (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))
    for chunk in chain(chunks, (b"",)):
        error = _fed(parser, chunk)
        # What came before an error is looked at first, so that too deep a file is called that.
        for event, element in parser.read_events():
            started += event == "start"
            if started > MAX_ELEMENTS:
                raise refused(f"A submission holds at most {MAX_ELEMENTS} elements.")
            if isinstance(element, Element):
                yield event, element
        if error:
            raise error


def _fed(parser: etree.XMLPullParser, chunk: bytes) -> LeadError | None:
    """Feed a chunk, or close the parser when it is empty. Returns what is wrong, without the parser's words."""
    try:
        if chunk:
            parser.feed(chunk)
        else:
            parser.close()
    except etree.LxmlError as error:
        line = getattr(error, "lineno", 0)
        return refused(f"The file is not well-formed XML{f' (line {line})' if line else ''}.")
    return None


def _parser() -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end"),
        # Wins over what the file declares; _check has seen that it holds.
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )


def _is(tag: object, name: str) -> bool:
    """Whether an lxml tag (`{namespace}local`) is the one meant by `prefix:local`, in any version."""
    prefix, _, local = name.partition(":")
    return isinstance(tag, str) and tag.endswith("}" + local) and tag.startswith("{" + _FAMILIES[prefix])
