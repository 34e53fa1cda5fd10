"""Reads the sharing matrix that was written for the tests: `tests/contract/sharing_matrix.toml` says how.

Words are the short ones (`"IDENTITY"`, `"police"`, `"DIVERSION_COORD"`), facts their names in lower case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).parent.parent / "contract" / "sharing_matrix.toml"
RULES = frozenset({"allow", "consent", "approval", "glass", "deny"})
NO_FACTS: frozenset[str] = frozenset()


class Verdict(NamedTuple):
    """What the table says of one cell, and the matrix rows that say it (none: the default)."""

    rule: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Role:
    """A matrix role: the kinds of agency it acts for, the purposes it may use (its default first)."""

    kinds: frozenset[str]
    purposes: tuple[str, ...]

    @property
    def default(self) -> str:
        """The first purpose, taken when the caller names none."""
        return self.purposes[0]


@dataclass(frozen=True)
class Cell:
    """One `[[cell]]`: a matrix row, or the part of it that has conditions of its own. `None` sources: of any kind."""

    row: int
    rule: str
    reason: str
    roles: frozenset[str]
    categories: frozenset[str]
    purposes: frozenset[str]
    source_kinds: frozenset[str] | None = None
    facts: frozenset[str] = NO_FACTS
    any_facts: frozenset[str] = NO_FACTS
    unless: frozenset[str] = NO_FACTS

    def holds(self, source_kind: str, facts: frozenset[str]) -> bool:
        """Whether source and scope facts meet the condition column."""
        return (
            (self.source_kinds is None or source_kind in self.source_kinds)
            and self.facts <= facts
            and (not self.any_facts or bool(self.any_facts & facts))
            and not self.unless & facts
        )

    def serves(self, purpose: str, role: Role) -> bool:
        """Whether the purpose column names the purpose, for a role with this default."""
        if "*" in self.purposes:
            return True
        return purpose in self.purposes or ("default" in self.purposes and purpose == role.default)


@cache
def table() -> dict[str, Any]:
    """The whole file as read."""
    with TABLE.open("rb") as file:
        return tomllib.load(file)


@cache
def roles() -> dict[str, Role]:
    """The matrix roles by name."""
    return {name: Role(frozenset(role["kinds"]), tuple(role["purposes"])) for name, role in table()["roles"].items()}


@cache
def cells() -> tuple[Cell, ...]:
    """The cells in the order of the file; an unknown key in one is an error."""
    return tuple(_cell(entry) for entry in table()["cell"])


def _cell(entry: dict[str, Any]) -> Cell:
    named: dict[str, Any] = {k: frozenset(v) if isinstance(v, list) else v for k, v in entry.items()}
    if "not_roles" in named:
        named["roles"] = frozenset(roles()) - named.pop("not_roles")
    return Cell(**named)


@cache
def cells_of(role: str, category: str, purpose: str) -> tuple[Cell, ...]:
    """The cells that name this role, category and purpose, whatever their condition."""
    return tuple(
        cell
        for cell in cells()
        if role in cell.roles and category in cell.categories and cell.serves(purpose, roles()[role])
    )


def relevant_facts(role: str, purpose: str) -> frozenset[str]:
    """The facts that any cell of the role depends on at this purpose."""
    asked = (cell for cell in cells() if role in cell.roles and cell.serves(purpose, roles()[role]))
    return NO_FACTS.union(*(cell.facts | cell.any_facts | cell.unless for cell in asked))


def verdict(
    role: str, category: str, purpose: str, source_kind: str, own_source: bool, facts: frozenset[str]
) -> Verdict:
    """The expected rule with its rows: deny beats all but row 1, row 1 beats all but the rows it yields to.

    Raises ValueError when two rows of different rule meet in the cell: then the table is wrong.
    """
    own = table()["own_source"]
    if purpose not in roles()[role].purposes:
        return Verdict("deny", ())
    facts = (facts - {"own_source", "other_agency"}) | {"own_source" if own_source else "other_agency"}
    met = [cell for cell in cells_of(role, category, purpose) if cell.holds(source_kind, facts)]
    denies = tuple(cell.row for cell in met if cell.rule == "deny")
    if own_source and role not in own["not_for"] and source_kind in roles()[role].kinds:
        beaten = tuple(row for row in denies if row in own["yields_to"])
        return Verdict("deny", beaten) if beaten else Verdict("allow", (own["row"],))
    if denies:
        return Verdict("deny", denies)
    if len({cell.rule for cell in met}) > 1:
        raise ValueError(f"rows of different rule: {role} {category} {purpose} {sorted(cell.row for cell in met)}")
    return Verdict(met[0].rule, tuple(cell.row for cell in met)) if met else Verdict("deny", ())


def expected_rule(
    role: str, category: str, purpose: str, source_kind: str, own_source: bool, facts: frozenset[str]
) -> str:
    """The rule of one cell: allow, consent, approval, glass or deny."""
    return verdict(role, category, purpose, source_kind, own_source, facts).rule


def need_set(category: str, source_kind: str, part2: str, about_person: bool) -> frozenset[str]:
    """All that a caller must be allowed to see for this label; `part2` is yes, no or unknown."""
    rule = table()["need_set"]
    bare = not about_person or part2 not in rule["part2"]
    if bare or source_kind in rule["never_from"] or category in rule["never_to"]:
        return frozenset({category})
    return frozenset({category, rule["adds"]})


VARIANTS = ("without_release", "full_release", "without_release_part2", "full_release_part2")


def demo_table(variant: str) -> dict[str, set[str]]:
    """Who sees what in the demo, as written by hand: the categories seen by each of its ten people."""
    base, demo = variant.removesuffix("_part2"), table()["demo"]
    seen = {who: set(words) for who, words in demo["tables"][base].items()}
    if variant != base:
        for who, adds in demo["part2_adds_presence"][base].items():
            seen[who] |= {table()["need_set"]["adds"]} if adds else set()
    return seen


def demo_dashes() -> frozenset[str]:
    """The categories that no built call carries."""
    return frozenset(table()["demo"]["dash"])


def derived_table(variant: str) -> dict[str, set[str]]:
    """The same table worked out from the cells, the need sets and what each call carries."""
    return {who: set(_seen(who, variant)) for who in table()["demo"]["roles"]}


def _seen(who: str, variant: str) -> Iterator[str]:
    demo, release = table()["demo"], variant.startswith("full")
    person = demo["roles"][who]
    reads = person["reads"] + (person.get("release_reads", []) if release else [])
    for purpose in roles()[person["role"]].purposes:
        for name in reads:
            if _present(name, person, purpose, variant):
                for category in demo["records"][name]["categories"]:
                    yield from _visible(category, name, person, purpose, variant)


def _present(name: str, person: dict[str, Any], purpose: str, variant: str) -> bool:
    """Whether the record is there at all: its row category, and that of the record it is nested in, are visible."""
    record = table()["demo"]["records"][name]
    if "within" in record and not _present(record["within"], person, purpose, variant):
        return False
    return "row" not in record or bool(_visible(record["row"], name, person, purpose, variant))


def _visible(category: str, name: str, person: dict[str, Any], purpose: str, variant: str) -> frozenset[str]:
    """The need set when each member is visible, else nothing."""
    demo, release = table()["demo"], variant.startswith("full")
    record = demo["records"][name]
    source = record["source"]
    kind = demo["agencies"][source]
    own = person.get("agency") == source
    facts = frozenset(person["facts"] + (person.get("release_facts", []) if release else []))
    part2 = "yes" if source == "T" or (source == "C" and variant.endswith("part2")) else "no"
    needed = need_set(category, kind, part2, about_person="row" in record)
    rules = {expected_rule(person["role"], member, purpose, kind, own, facts) for member in needed}
    return needed if rules <= ({"allow", "consent"} if release else {"allow"}) else frozenset()
