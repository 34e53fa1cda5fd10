"""Which matrix role a caller has, and for which purposes it may ask.

The contract's role and the agency's kind give the matrix role; any other pair is refused at sign-in (matrix "Roles").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.shared.errors import permission_denied

NO_ROLE = "none"
"""`police_rms` of a jail or court: signed in, posts justice events, has no row of its own."""

_POLICE = ("police_officer", "police_rms", "police_liaison")
_CASE = ("case_manager", "case_supervisor")
_PROVIDER = ("provider_staff", "provider_system")

_PAIRS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("police", _POLICE, ("police",)),
    ("prosecutor", ("prosecutor",), ("prosecutor",)),
    ("defender", ("defender",), ("defender",)),
    ("lead_cm", _CASE, ("case_management",)),
    ("sud_tx", _PROVIDER, ("sud_treatment",)),
    ("mh_tx", _PROVIDER, ("mental_health",)),
    ("med", _PROVIDER, ("health_care", "ems")),
    ("housing", _PROVIDER, ("housing",)),
    ("jobs", _PROVIDER, ("job_training",)),
    ("vsp", _PROVIDER, ("victim_services",)),
    ("pm", ("program_manager",), ("program_office",)),
    ("evaluator", ("evaluator",), ("evaluator",)),
    ("auditor", ("auditor",), ("auditor",)),
    ("operator", ("operator",), ("operator",)),
    ("participant", ("participant",), ("",)),
    (NO_ROLE, ("police_rms",), ("jail", "court")),
)


def _pairs() -> Iterator[tuple[tuple[str, str], str]]:
    for matrix, roles, kinds in _PAIRS:
        yield from (((role, kind), matrix) for role in roles for kind in kinds)


MATRIX_ROLES: Mapping[tuple[str, str], str] = dict(_pairs())
"""(contract role, agency kind) to matrix role; the participant's kind is the empty word."""

ROLES: tuple[str, ...] = (*(matrix for matrix, _, _ in _PAIRS if matrix != NO_ROLE), "linker")
"""The sixteen roles of the matrix. `linker` has no account: it is casework, matching persons (row 41)."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "police": ("DIVERSION_COORD", "DIVERSION_ELIG"),
    "prosecutor": ("DIVERSION_COORD", "DIVERSION_ELIG"),
    "defender": ("DIVERSION_COORD",),
    "lead_cm": ("CAREMGT", "HANDOFF", "DIVERSION_COORD", "HOUSING_PLACE"),
    "sud_tx": ("CAREMGT", "DIVERSION_COORD", "TREAT"),
    "mh_tx": ("CAREMGT", "DIVERSION_COORD", "TREAT"),
    "med": ("CAREMGT", "DIVERSION_COORD", "TREAT", "ETREAT"),
    "housing": ("CAREMGT", "DIVERSION_COORD", "HOUSING_PLACE"),
    "jobs": ("CAREMGT", "DIVERSION_COORD"),
    "vsp": ("CAREMGT", "DIVERSION_COORD"),
    "pm": ("DIVERSION_COORD", "DIVERSION_ELIG"),
    "evaluator": ("HRESCH",),
    "auditor": ("AUDIT_EVAL",),
    "operator": ("AUDIT_EVAL",),
    "participant": ("PATRQT",),
    "linker": ("HOPERAT",),
    NO_ROLE: ("DIVERSION_COORD", "DIVERSION_ELIG"),
}
"""Matrix role to its purposes, its default first. Calls under /handoffs have a default of their own: HANDOFF."""

REFUSED: frozenset[str] = frozenset({"INVESTIGATION", "PROSECUTION", "LEGAL_PROCEEDING", "WARRANT", "INTEL"})
"""Always refused and logged: the lawful ways round run out of band (42 CFR 2.12(d), 2.61 to 2.67)."""


def matrix_role(role: str, agency_kind: str) -> str:
    """Return the matrix role of a contract role at an agency of this kind (`""` for a participant).

    Raises LeadError PERMISSION_DENIED `ROLE_REFUSED` for any other pair.
    """
    found = MATRIX_ROLES.get((role, agency_kind))
    if found is None:
        raise permission_denied("ROLE_REFUSED", "There is no such role at this kind of agency.")
    return found


def default(role: str, agency_kind: str) -> str:
    """Return the purpose that a caller has who names none. Raises as `matrix_role` does."""
    return ALLOWED[matrix_role(role, agency_kind)][0]


def allowed(role: str, agency_kind: str) -> frozenset[str]:
    """Return the purposes that a caller may name. Raises as `matrix_role` does."""
    return frozenset(ALLOWED[matrix_role(role, agency_kind)])


def is_allowed(matrix: str, purpose: str) -> bool:
    """Tell whether a matrix role may ask for this purpose at all; an unknown word may not."""
    return purpose in ALLOWED.get(matrix, ())


def is_default(matrix: str, purpose: str) -> bool:
    """Tell whether this is the matrix role's default purpose; an unknown word is not."""
    return ALLOWED.get(matrix, ("",))[0] == purpose
