"""What a caller is told when the ledger refuses."""

from __future__ import annotations

from services.audit.merkle import LedgerError
from services.shared.errors import LeadError, Violation, exhausted, invalid, unavailable


def as_lead_error(error: LedgerError, path: str) -> LeadError:
    """Return the public form of a refusal; `path` names the field that a wrong range or size is blamed on."""
    if error.reason == "OVERLOADED":
        return exhausted("Too many entries wait for the ledger; try again later.")
    if error.reason in {"RANGE", "ENTRY_SIZE"}:
        return invalid([Violation(path, error.text)])
    return unavailable("The ledger doesn't take or show entries now; trying again is safe.")
