"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection

from services.provider.models import IDEMPOTENCY
from services.provider.sealed import Secrets
from services.shared.area import Parts
from services.shared.db.idempotency import Key
from services.shared.sharing.assertion import Caller


@dataclass(frozen=True)
class Desk:
    """The parts of the running area, and its secrets."""

    parts: Parts
    secrets: Secrets

    def now(self) -> datetime:
        """Return the time."""
        return self.parts.clock.now()

    def granted(self, caller: Caller) -> Collection[str]:
        """Return the subjects whose rows a release may open to the caller."""
        return self.parts.consent.granted_subjects(caller)

    def zone(self, caller: Caller) -> tzinfo:
        """Return where the caller's days begin: the zone of his first site."""
        sites = (self.parts.sites[each] for each in caller.site_ids if each in self.parts.sites)
        return next((site.zone for site in sites), UTC)

    def resolve(self, caller: Caller, participant_id: str) -> tuple[str, str]:
        """Return the subject of a participant that the caller has to do with, and the agency of his caseload.

        Both are "" for one that is absent or withheld.
        """
        found = self.parts.consent.resolve_participant(caller, participant_id)
        return ("", "") if found is None else (found.subject_id, found.caseload_agency_id)

    def earlier(self, key: Key | None) -> str:
        """Return the id of what an earlier call with this idempotency key made, "" for none. Raises ALREADY_EXISTS."""
        if key is None:
            return ""
        with self.parts.db.read() as connection:
            return key.find(connection, IDEMPOTENCY, self.now()) or ""

    def remember(self, key: Key | None, resource_id: str) -> Callable[[Connection], None]:
        """Return what a creating call adds to its transaction. Raises ABORTED there when another call is quicker."""

        def remembered(connection: Connection) -> None:
            if key is not None:
                key.remember(connection, IDEMPOTENCY, resource_id, self.now())

        return remembered
