"""The parts of a referral between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from lead.referral.v1 import referral_pb2 as pb

from services.referral.draft import (
    Attestation,
    Contact,
    Draft,
    LocalId,
    Observation,
    Officer,
    OfficerNarrative,
    Person,
    Source,
    VictimOfOffence,
)
from services.referral.screening import Charge, Substance
from services.referral.screening.units import measure
from services.shared.wire import Words, filled, moment, said

DOORS = Words(pb.Door, "DOOR_")
LEVELS = Words(pb.ChargeLevel, "CHARGE_LEVEL_")
UNITS = Words(pb.QuantityUnit, "QUANTITY_UNIT_")
BASES = Words(pb.EvidenceBasis, "EVIDENCE_BASIS_")
POSITIONS = Words(pb.VictimPosition, "VICTIM_POSITION_")
OBSERVED = Words(pb.ObservationAnswer, "OBSERVATION_ANSWER_")
ATTESTED = Words(pb.AttestationAnswer, "ATTESTATION_ANSWER_")

NOT_REPORTED = "NOT_REPORTED"
# The screening's unit that packs limit by, to the contract's word.
_UNIT_WORDS = {"g": "GRAM", "dosage_units": "DOSAGE_UNIT"}
_UNIT_FROM = {"GRAM": "g", "DOSAGE_UNIT": "dosage_units", NOT_REPORTED: "not_reported"}


def draft_from_wire(message: pb.ReferralDraft, now: datetime) -> Draft:
    """Return a valid draft; the referral time is now where none was given."""
    return Draft(
        site_id=message.site_id,
        door=DOORS.word(message.door),
        referral_time=moment(message, "referral_time") or now,
        source=source_from_wire(message.source),
        agency_ori=message.agency_ori.strip().upper(),
        incident_number=message.incident_number,
        incident_time=moment(message, "incident_time"),
        person=person_from_wire(message.person),
        contact=contact_from_wire(message.contact),
        charges=tuple(charge_from_wire(each) for each in message.charges),
        officer=officer_from_wire(message.officer),
        victim=victim_from_wire(message.victim),
        evidence_basis=BASES.word(message.evidence_basis),
        narrative=OfficerNarrative(
            text=message.narrative,
            observations=tuple(
                Observation(name=each.name, answer=OBSERVED.word(each.answer)) for each in message.observations
            ),
            attestations=tuple(_attestation(each) for each in message.attestations),
        ),
    )


def source_from_wire(message: pb.Source) -> Source:
    """Return where the sender keeps it."""
    return Source(system=message.system, record_id=message.record_id, version=message.version)


def source_to_wire(source: Source) -> pb.Source:
    """Return where the sender keeps it."""
    return filled(pb.Source(), system=source.system, record_id=source.record_id, version=source.version)


def person_from_wire(message: pb.Person) -> Person:
    """Return who is referred."""
    return Person(
        given_name=message.given_name,
        family_name=message.family_name,
        birth_date=message.birth_date,
        local_ids=tuple(LocalId(agency_id=each.agency_id, id=each.id) for each in message.local_ids),
    )


def person_to_wire(person: Person) -> pb.Person | None:
    """Return who is referred."""
    return said(
        filled(
            pb.Person(local_ids=[pb.LocalId(agency_id=each.agency_id, id=each.id) for each in person.local_ids]),
            given_name=person.given_name,
            family_name=person.family_name,
            birth_date=person.birth_date,
        )
    )


def contact_from_wire(message: pb.Contact) -> Contact:
    """Return where the person can be reached."""
    return Contact(phones=tuple(message.phones), address=message.address, where_found=message.where_found)


def contact_to_wire(contact: Contact) -> pb.Contact | None:
    """Return where the person can be reached."""
    made = filled(pb.Contact(), phones=contact.phones, address=contact.address, where_found=contact.where_found)
    return said(made)


def charge_from_wire(message: pb.ChargeDraft) -> Charge:
    """Return a charge, without an id; what was not said is None, never zero."""
    return Charge(
        statute=message.statute or None,
        offense_code=message.offense_code or None,
        description=message.description or None,
        level=LEVELS.word(message.level) or None,
        substances=tuple(_substance(each) for each in message.substances),
    )


def charge_to_wire(charge: Charge) -> pb.Charge:
    """Return a charge; the decision beside it is another record."""
    return filled(
        pb.Charge(substances=substances_to_wire(charge.substances)),
        id=charge.id,
        statute=charge.statute,
        offense_code=charge.offense_code,
        description=charge.description,
        level=LEVELS.number(charge.level or ""),
    )


def _substance(message: pb.Substance) -> Substance:
    return Substance(
        drug=message.drug or None,
        quantity=Decimal(message.quantity) if message.quantity else None,
        unit=_UNIT_FROM.get(UNITS.word(message.unit)),
    )


def substances_to_wire(substances: Iterable[Substance]) -> list[pb.Substance]:
    """Return the drugs of a charge; amounts in the contract's unit of the same measure, so that kilograms are grams.

    What the contract has no unit for (plants, millilitres) keeps its amount in the drug's words.
    """
    return [_substance_to_wire(each) for each in substances]


def _substance_to_wire(substance: Substance) -> pb.Substance:
    made = filled(pb.Substance(), drug=substance.drug)
    measured = measure(substance.unit)
    word = _UNIT_WORDS.get(measured.unit) if measured else None
    if measured is None or word is None:
        amount = f"{substance.quantity} {measured.shown}" if measured and substance.quantity is not None else ""
        filled(made, drug=" ".join(filter(None, (substance.drug, amount and f"({amount})"))))
        return filled(made, unit=UNITS.number(NOT_REPORTED if substance.unit else ""))
    quantity = None if substance.quantity is None else _plain(substance.quantity, measured.factor)
    return filled(made, quantity=quantity, unit=UNITS.number(word))


def _plain(quantity: Decimal, factor: Decimal) -> str:
    # As it was written where nothing is converted: 1.50 stays 1.50.
    return format(quantity if factor == 1 else (quantity * factor).normalize(), "f")


def officer_from_wire(message: pb.Officer) -> Officer:
    """Return who refers."""
    return Officer(name=message.name, serial=message.serial, unit=message.unit)


def officer_to_wire(officer: Officer) -> pb.Officer | None:
    """Return who refers."""
    return said(filled(pb.Officer(), name=officer.name, serial=officer.serial, unit=officer.unit))


def victim_from_wire(message: pb.VictimOfOffence) -> VictimOfOffence:
    """Return what is known of a victim; not said is not "no"."""
    return VictimOfOffence(
        present=message.present if message.HasField("present") else None,
        position=POSITIONS.word(message.position),
        restitution=message.restitution,
    )


def victim_to_wire(victim: VictimOfOffence) -> pb.VictimOfOffence | None:
    """Return what is known of a victim."""
    return said(
        filled(
            pb.VictimOfOffence(),
            present=victim.present,
            position=POSITIONS.number(victim.position),
            restitution=victim.restitution,
        )
    )


def observation_to_wire(observation: Observation) -> pb.Observation:
    """Return an officer's judgement."""
    return filled(pb.Observation(), name=observation.name, answer=OBSERVED.number(observation.answer))


def _attestation(message: pb.Attestation) -> Attestation:
    return Attestation(
        rule=message.rule, answer=ATTESTED.word(message.answer), checked_at=moment(message, "checked_time")
    )


def attestation_to_wire(attestation: Attestation) -> pb.Attestation:
    """Return the outcome of a check."""
    return filled(
        pb.Attestation(),
        rule=attestation.rule,
        answer=ATTESTED.number(attestation.answer),
        checked_time=attestation.checked_at,
    )
