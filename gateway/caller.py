"""From an identity to a caller: one role of one agency, for one purpose, on one method. Refuses any other pair.

Only what makes a call impossible for this role is told (403, 400). Whether a record exists is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lead.options.v1 import options_pb2, words_pb2

from gateway.authenticate import Identity
from services.shared.errors import Code, LeadError, permission_denied, unauthenticated
from services.shared.sharing.assertion import Caller
from services.shared.sharing.purposes import NO_ROLE, REFUSED, allowed, default, matrix_role

_ROLES = {name.removeprefix("ROLE_").lower(): number for name, number in words_pb2.Role.items() if number}
_KINDS = {name.removeprefix("AGENCY_KIND_").lower(): number for name, number in words_pb2.AgencyKind.items() if number}
_PURPOSES = {name.removeprefix("PURPOSE_"): number for name, number in words_pb2.Purpose.items() if number}
_PURPOSE_WORDS = {number: word for word, number in _PURPOSES.items()}


@dataclass(frozen=True, slots=True)
class Agency:
    """What the registry says of an agency: kind in the contract's word, and its sites."""

    kind: str
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What the registry says of an account."""

    agency_id: str
    roles: frozenset[str]
    disabled: bool
    expires_at: datetime | None


@dataclass(frozen=True)
class Registry:
    """Who takes part, as consent said at some epoch."""

    agencies: Mapping[str, Agency]
    accounts: Mapping[str, Account]


def caller(
    identity: Identity, registry: Registry, access: options_pb2.Access, role: str, purpose: str, now: datetime
) -> Caller:
    """Return who calls. `role` and `purpose` are the headers' words, empty where none was sent.

    Raises UNAUTHENTICATED for an account that is unknown, disabled or expired; PERMISSION_DENIED where the role or the
    purpose is not for this method; INVALID_ARGUMENT for an unknown word or an unanswered choice of roles.
    """
    if identity.participant_id:
        return _checked(_participant(identity, role), access, purpose, identity)
    account = registry.accounts.get(identity.account_id)
    if account is None or account.disabled or (account.expires_at is not None and account.expires_at <= now):
        raise unauthenticated("A valid bearer token is needed.")
    agency = registry.agencies.get(account.agency_id)
    if agency is None or identity.agency_id not in ("", account.agency_id):
        raise unauthenticated("A valid bearer token is needed.")
    acts_as = _role(identity, account, role)
    sites = tuple(site for site in agency.site_ids if not identity.site_ids or site in identity.site_ids)
    found = Caller(identity.account_id, account.agency_id, agency.kind, acts_as, "", sites, "", identity.acr)
    return _checked(found, access, purpose, identity)


def _participant(identity: Identity, wanted: str) -> Caller:
    if identity.roles not in ((), ("participant",)):
        raise unauthenticated("A valid bearer token is needed.")
    _carried(wanted, ("participant",))
    return Caller(identity.account_id, "", "", "participant", "", (), identity.participant_id, identity.acr)


def _role(identity: Identity, account: Account, wanted: str) -> str:
    roles = sorted(account.roles & set(identity.roles) if identity.roles else account.roles)
    _carried(wanted, roles)
    if wanted:
        return wanted
    if len(roles) != 1:
        raise LeadError(Code.INVALID_ARGUMENT, "ROLE_NEEDED", "The token carries several roles: say which by X-Role.")
    return roles[0]


def _checked(found: Caller, access: options_pb2.Access, purpose: str, identity: Identity) -> Caller:
    named = _KINDS.get(found.agency_kind) in access.kinds
    has_role = matrix_role(found.role, found.agency_kind) != NO_ROLE
    # A jail or a court may post justice events and do nothing else (matrix, Roles): only where a method names it.
    if not named and (access.kinds or not has_role):
        raise permission_denied("NOT_FOR_THIS_AGENCY", "Agencies of this kind do not call this.")
    if _ROLES[found.role] not in access.roles:
        raise permission_denied("ROLE_NOT_ALLOWED", "This role does not call this method.")
    chosen = _purpose(found, access, purpose, identity)
    return Caller(
        found.account_id,
        found.agency_id,
        found.agency_kind,
        found.role,
        chosen,
        found.site_ids,
        found.participant_id,
        found.acr,
    )


def _purpose(found: Caller, access: options_pb2.Access, purpose: str, identity: Identity) -> str:
    may = allowed(found.role, found.agency_kind)
    serves = [_PURPOSE_WORDS[number] for number in access.purposes]
    if purpose in REFUSED:
        text = "This purpose is never served here; the holding agency decides on lawful orders."
        raise permission_denied("PURPOSE_REFUSED", text)
    if purpose and purpose not in _PURPOSES:
        raise _bad_word("X-Purpose-Of-Use")
    own = default(found.role, found.agency_kind)
    usable = [word for word in serves if word in may and (not identity.purposes or word in identity.purposes)]
    chosen = purpose or (own if own in usable else next(iter(usable), ""))
    if chosen not in usable:
        raise permission_denied("PURPOSE_NOT_ALLOWED", "This role does not call this method for this purpose.")
    return chosen


def _carried(wanted: str, roles: Sequence[str]) -> None:
    if wanted and wanted not in _ROLES:
        raise _bad_word("X-Role")
    if not roles or (wanted and wanted not in roles):
        raise permission_denied("ROLE_REFUSED", "The token does not carry this role.")


def _bad_word(header: str) -> LeadError:
    return LeadError(Code.INVALID_ARGUMENT, "UNKNOWN_WORD", f"{header} is not a word of the contract.")
