"""The OpenAPI document as one page to read: no script, nothing from elsewhere, the same text for every reader."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

Part = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566273; --page: #fff; --card: #f4f6f9; --line: #d6dce5;
  --link: #0b57b0; --get: #1b6e3c; --post: #8a4b00; --mark: #5b3a91 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #a2aebd; --page: #12171e; --card: #1b222c;
  --line: #333d4a; --link: #86b7ff; --get: #6fd39a; --post: #f0b266; --mark: #c3a6f7 } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page) }
a { color: var(--link) }
code { font: 0.92em ui-monospace, monospace; overflow-wrap: anywhere }
.page { display: grid; grid-template-columns: 17rem minmax(0, 60rem); gap: 2.5rem; padding: 0 1.5rem 4rem }
nav { position: sticky; top: 0; max-height: 100vh; overflow: auto; padding: 1.5rem 0; font-size: 0.9rem }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 }
nav li a { text-decoration: none }
nav h2 { margin: 0; font-size: 1rem; text-transform: capitalize }
main > section > h2 { margin-top: 3rem; border-bottom: 2px solid var(--line); text-transform: capitalize }
article { margin: 1.25rem 0; padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.5rem; overflow-x: auto }
article:target { border-color: var(--link) }
article h3 { margin: 0 0 0.25rem; font-size: 1.05rem }
article h4 { margin: 1rem 0 0.25rem; font-size: 0.9rem; color: var(--soft) }
article p { margin: 0.25rem 0 }
.verb { font-weight: 700; font-size: 0.85rem; margin-right: 0.5rem; color: var(--post) }
.get { color: var(--get) }
.badge { display: inline-block; margin: 0.1rem 0.25rem 0.1rem 0; padding: 0 0.5rem; border: 1px solid currentColor;
  border-radius: 1rem; font-size: 0.78rem; white-space: nowrap }
.category { color: var(--mark) }
.soft { color: var(--soft) }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem 0.3rem 0; border-top: 1px solid var(--line) }
th { color: var(--soft); font-weight: 600 }
@media (max-width: 60rem) { .page { display: block; padding: 0 1rem 3rem } nav { position: static; max-height: none } }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# What the answer's Content-Security-Policy must be: this page's own style, and nothing else.
CSP = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_ASK = (
    "Send <code>Authorization: Bearer …</code> with every call. <code>X-Purpose-Of-Use</code> says why you ask and "
    "<code>X-Role</code> in which role, when the token has several; each call lists the roles and purposes it serves. "
    "A <span class='badge category'>CATEGORY</span> says what a field tells about a person: it is left out of the "
    "answer where the sharing matrix does not let you see it."
)


def page(document: Part) -> bytes:
    """Return the page, in UTF-8. Send it as `text/html; charset=utf-8` under `CSP`."""
    title = escape(document["info"]["title"])
    areas = {tag["name"]: list(_operations(document, tag["name"])) for tag in document["tags"]}
    body = "".join(
        [
            f"<h1>{title}</h1><p>{_prose(document['info']['description'])}</p><p>{_ASK}</p>",
            '<p>The same for machines: <a href="/openapi.json">openapi.json</a>.</p>',
            *(_area(area, operations, document) for area, operations in areas.items()),
            _schemas(document["components"]["schemas"]),
        ]
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><div class="page">{_menu(areas)}<main>{body}</main></div></body></html>'
    ).encode()


def _operations(document: Part, area: str) -> Iterator[tuple[str, str, Part]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if area in operation["tags"]:
                yield path, verb, operation


def _menu(areas: dict[str, list[tuple[str, str, Part]]]) -> str:
    lists = (
        f"<h2>{escape(area)}</h2><ul>{''.join(_menu_line(operation) for _, _, operation in operations)}</ul>"
        for area, operations in areas.items()
    )
    return f'<nav aria-label="Calls">{"".join(lists)}<h2><a href="#messages">Messages</a></h2></nav>'


def _menu_line(operation: Part) -> str:
    return f'<li><a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a></li>'


def _area(area: str, operations: Iterable[tuple[str, str, Part]], document: Part) -> str:
    calls = "".join(_call(path, verb, operation, document) for path, verb, operation in operations)
    return f'<section id="area-{escape(area)}"><h2>{escape(area)}</h2>{calls}</section>'


def _call(path: str, verb: str, operation: Part, document: Part) -> str:
    return (
        f'<article id="{escape(operation["operationId"])}"><h3>{escape(operation["summary"])}</h3>'
        f'<p><span class="verb {escape(verb)}">{escape(verb.upper())}</span><code>{escape(path)}</code></p>'
        f"<h4>Roles</h4><p>{_badges(operation['x-roles'])}</p>"
        f"<h4>Purposes</h4><p>{_badges(operation['x-purposes'])}</p>"
        f"{_parameters(operation['parameters'], document)}{_body(operation)}{_answer(operation)}</article>"
    )


def _badges(words: Iterable[str], kind: str = "") -> str:
    return "".join(f'<span class="badge{kind}">{escape(word)}</span>' for word in words)


def _parameters(parameters: Iterable[Part], document: Part) -> str:
    """Say what path, query and key hold; the two headers that every call takes are told once, above."""
    known = document["components"]["parameters"]
    given = [known[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in parameters]
    rows = [
        (each["name"], f"{_kind(each['schema'])}, in {escape(each['in'])}", each["schema"] | _described(each))
        for each in given
        if each["name"] not in ("X-Purpose-Of-Use", "X-Role")
    ]
    return f"<h4>Parameters</h4>{_table(rows)}" if rows else ""


def _described(parameter: Part) -> Part:
    return {"description": parameter["description"]} if "description" in parameter else {}


def _body(operation: Part) -> str:
    if "requestBody" not in operation:
        return ""
    ((kind, content),) = operation["requestBody"]["content"].items()
    schema = content.get("schema", {})
    if "properties" in schema:
        return f"<h4>Body</h4>{_fields(schema)}"
    return f"<h4>Body</h4><p>{_kind(schema)} <span class='soft'>{escape(kind)}</span></p>"


def _answer(operation: Part) -> str:
    ((kind, content),) = operation["responses"]["200"]["content"].items()
    refusals = ", ".join(escape(status) for status in operation["responses"] if status != "200")
    said = f"{_kind(content.get('schema', {}))} <span class='soft'>{escape(kind)}</span>"
    return f"<h4>Answer</h4><p>{said}</p><p class='soft'>Refusals: {refusals}</p>"


def _schemas(schemas: dict[str, Part]) -> str:
    articles = "".join(
        f'<article id="schema-{escape(name)}"><h3>{escape(name)}</h3>{_schema(schema)}</article>'
        for name, schema in schemas.items()
    )
    return f'<section id="messages"><h2>Messages</h2>{articles}</section>'


def _schema(schema: Part) -> str:
    if "enum" in schema:
        return f"<p>{_badges(schema['enum'])}</p>"
    row = f" {_category(schema['x-row-category'])} or absent" if "x-row-category" in schema else ""
    about = f"<p>{_prose(schema['description'])}{row}</p>" if "description" in schema else ""
    return about + _fields(schema)


def _fields(schema: Part) -> str:
    return _table((name, _kind(field), field) for name, field in schema.get("properties", {}).items())


def _table(rows: Iterable[tuple[str, str, Part]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{_told(field)}</td></tr>"
        for name, kind, field in rows
    )
    if not lines:
        return '<p class="soft">Nothing.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Field", "Kind", "Tells"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _told(field: Part) -> str:
    said = _prose(field.get("description", ""))
    if "x-category-from" in field:
        return f"the category in <code>{escape(field['x-category-from'])}</code> {said}"
    return (_category(field["x-category"]) if "x-category" in field else "") + said


def _category(word: str) -> str:
    return _badges([word], " category")


def _kind(schema: Part) -> str:
    """Return the kind of a value in words, with a link where it is a message or one of a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    return escape(" ".join([schema.get("type", "any bytes"), schema.get("format", "")]).strip())


def _prose(text: str) -> str:
    """Return text with what stands between back-quotes as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
