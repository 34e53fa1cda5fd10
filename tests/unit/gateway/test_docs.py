from __future__ import annotations

import base64
import copy
import hashlib
from collections import Counter
from html.parser import HTMLParser
from typing import Any

from gateway import docs, openapi
from tests.unit.gateway.messages import routes

DOCUMENT = openapi.document(routes())
PAGE = docs.page(DOCUMENT).decode()
_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Keeps what a browser would act on, and fails on a tag that is closed in the wrong place."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.style = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.style += data
        else:
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]


READ = Reader(PAGE)


def test_the_page_is_well_formed() -> None:
    assert READ.open == []
    assert READ.tags["h1"] == READ.tags["main"] == READ.tags["title"] == 1
    assert READ.values("lang") == ["en"]


def test_the_page_runs_nothing_and_fetches_nothing() -> None:
    assert not {"script", "link", "img", "iframe", "form", "object", "base"} & set(READ.tags)
    assert not any(name.startswith("on") or name in ("src", "style", "srcset") for name, _ in READ.attributes)
    assert "@import" not in READ.style
    assert "url(" not in READ.style


def test_every_link_stays_here_and_leads_somewhere() -> None:
    ids = READ.values("id")
    assert len(set(ids)) == len(ids)
    assert set(READ.values("href")) <= {f"#{each}" for each in ids} | {"/openapi.json"}


def test_the_policy_allows_this_style_and_nothing_else() -> None:
    digest = base64.b64encode(hashlib.sha256(READ.style.encode()).digest()).decode()
    assert "default-src 'none'" in docs.CSP
    assert f"style-src 'sha256-{digest}';" in docs.CSP
    assert "script-src" not in docs.CSP


def test_every_call_and_every_message_is_on_the_page() -> None:
    ids = set(READ.values("id"))
    assert {route.rpc.name for route in routes().all} <= ids
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= ids


def test_a_call_is_told_with_its_roles_purposes_and_categories() -> None:
    call = PAGE[PAGE.index('<article id="DecideCharge">') :]
    call = call[: call.index("</article>")]
    for text in ("/v1/reviews/{id}/charges/{chargeId}:decide", "POST", ">prosecutor<", ">DIVERSION_COORD<"):
        assert text in call
    assert ">PROSECUTOR_WORK_PRODUCT<" in call


def test_calls_are_grouped_by_area() -> None:
    areas = [value for value in READ.values("id") if value.startswith("area-")]
    assert areas == [f"area-{tag['name']}" for tag in DOCUMENT["tags"]]
    assert (
        PAGE.index('id="area-casework"') < PAGE.index('<article id="AcceptHandoff">') < PAGE.index('id="area-consent"')
    )


def test_the_page_is_readable_in_the_dark() -> None:
    assert "prefers-color-scheme: dark" in READ.style


def test_text_of_the_document_is_never_markup() -> None:
    hostile: dict[str, Any] = copy.deepcopy(DOCUMENT)
    text = "<script>alert(1)</script>\"'&`<b>`"
    hostile["info"] |= {"title": text, "description": text}
    hostile["components"]["schemas"]["Problem"]["properties"][text] = {"type": text, "description": text}
    hostile["paths"]["/v1/me"]["get"] |= {"summary": text, "x-roles": [text], "operationId": text}
    read = Reader(docs.page(hostile).decode())
    assert not {"script", "b"} & set(read.tags)
    assert text in read.values("id")
