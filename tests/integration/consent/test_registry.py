"""Who takes part: the directory, accounts that are disabled, and what the gateway is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lead.audit.v1 import audit_pb2
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_service_pb2 as pb
from lead.options.v1 import words_pb2

from services.consent import epochs, roll
from services.consent.registry import Account, Registry
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.integration.consent.desk import ACCOUNTS, CONTEXT, MANAGER, PERSON, Office, asking, serving
from tests.unit.consent.builders import AGENCIES, JAIL, OUTSIDER, a_registry

OPERATOR = Caller("acc_operator", "operator", "operator", "operator", "AUDIT_EVAL", ("north",))


def disabled(office: Office, account: str, caller: Caller = MANAGER) -> pb.DisableAccountResponse:
    with asking(caller):
        return office.public.DisableAccount(pb.DisableAccountRequest(id=account), CONTEXT)


def read(office: Office) -> internal.ReadRegistryResponse:
    with serving("gateway"):
        return office.internal.ReadRegistry(internal.ReadRegistryRequest(), CONTEXT)


def test_the_directory_lists_agencies_agreements_and_accounts(office: Office) -> None:
    with asking(MANAGER):
        agencies = office.public.ListAgencies(pb.ListAgenciesRequest(), CONTEXT).agencies
        agreements = office.public.ListAgreements(pb.ListAgreementsRequest(), CONTEXT).agreements
        accounts = office.public.ListAccounts(pb.ListAccountsRequest(), CONTEXT).accounts
    assert {one.id for one in agencies} == {*AGENCIES, JAIL.agency_id, OUTSIDER.agency_id}
    assert [(one.id, one.type) for one in agreements] == [("agr-1", "PARTICIPATION")]
    assert {(one.id, one.owner) for one in accounts} == {(one.account_id, one.owner) for one in ACCOUNTS.values()}


def test_a_disabled_account_is_told_to_the_gateway_as_disabled(office: Office) -> None:
    """CJ-07."""
    assert disabled(office, "acc_case").account.disabled
    told = {one.account_id: one.disabled for one in read(office).accounts}
    assert told == {"acc_case": True, "acc_prosecutor": False, "acc_south": False}


def test_disabling_changes_everything_at_once_and_goes_to_the_ledger(office: Office) -> None:
    disabled(office, "acc_case")
    with office.desk.db.read() as connection:
        [change] = epochs.since(connection, epochs.current(connection) - 1)
    assert change.everything
    [entry] = office.spooled()
    assert (entry.kind, entry.agency_id) == (audit_pb2.ENTRY_KIND_ACCOUNT_DISABLED, "office")
    assert (entry.identifying.record_id, entry.identifying.account_id) == ("acc_case", "acc_office")


def test_an_account_stays_disabled(office: Office) -> None:
    disabled(office, "acc_case")
    disabled(office, "acc_case")
    with office.desk.db.write() as connection:
        roll.add_missing(connection, replace(a_registry(), accounts=ACCOUNTS))
    office.desk.decider.reload()
    assert office.desk.decider.registry.accounts["acc_case"].disabled


@pytest.mark.parametrize("account", ["acc_south", "acc_nobody", ""])
def test_a_manager_disables_accounts_of_his_own_site_alone(office: Office, account: str) -> None:
    with pytest.raises(LeadError) as refused:
        disabled(office, account)
    assert refused.value.code is Code.NOT_FOUND


def test_the_operator_disables_any(office: Office) -> None:
    assert disabled(office, "acc_south", OPERATOR).account.disabled


def test_the_gateway_is_told_who_takes_part_as_it_stands_in_the_database(office: Office) -> None:
    """Whoever has heard of an epoch and asks then must not be told what was true before it."""
    with office.desk.db.write() as connection:
        roll.disable(connection, "acc_case", office.clock.now())
        epoch = epochs.bump(connection, "account disabled", (), office.clock.now(), everything=True)
    answer = read(office)
    assert answer.epoch == epoch
    assert {one.account_id for one in answer.accounts if one.disabled} == {"acc_case"}


def test_the_gateway_is_told_what_it_needs_to_resolve_a_caller(office: Office) -> None:
    answer = read(office)
    agencies = {one.agency_id: one for one in answer.agencies}
    police = agencies["police"]
    assert (police.kind, list(police.oris), list(police.site_ids)) == (
        words_pb2.AGENCY_KIND_POLICE,
        ["WASAMPLE1"],
        ["north"],
    )
    accounts = {one.account_id: one for one in answer.accounts}
    assert list(accounts["acc_case"].roles) == [words_pb2.ROLE_CASE_MANAGER]
    assert not accounts["acc_case"].HasField("expire_time")


def test_only_what_is_missing_is_added_to_a_registry(office: Office, tmp_path: Path) -> None:
    renamed = replace(AGENCIES["police"], name="Another Name")
    fresh = Account("acc_new", "police", ("police_officer",), "Testa New")
    with office.desk.db.write() as connection:
        assert not roll.add_missing(connection, replace(a_registry(), accounts=ACCOUNTS))
        assert roll.add_missing(connection, Registry({"police": renamed}, {"acc_new": fresh}))
        found = roll.registry(connection)
    assert (found.agencies["police"].name, found.accounts["acc_new"]) == ("Sample Police", fresh)


def test_i_am_told_who_the_exchange_takes_me_for(office: Office) -> None:
    with asking(MANAGER):
        me = office.public.GetMe(pb.GetMeRequest(), CONTEXT)
    assert (me.account_id, me.role, me.matrix_role, me.purpose) == (
        "acc_office",
        "program_manager",
        "pm",
        "DIVERSION_COORD",
    )
    assert list(me.allowed_purposes) == ["DIVERSION_COORD", "DIVERSION_ELIG"]
    with asking(PERSON):
        me = office.public.GetMe(pb.GetMeRequest(), CONTEXT)
    assert (me.participant_id, me.matrix_role, list(me.allowed_purposes)) == (
        PERSON.participant_id,
        "participant",
        ["PATRQT"],
    )


@pytest.mark.slow
def test_the_matrix_is_shown_with_its_version_and_its_law(office: Office) -> None:
    with asking(MANAGER):
        answer = office.public.GetPolicyMatrix(pb.GetPolicyMatrixRequest(), CONTEXT)
    assert answer.policy_version == office.desk.decider.policy.version
    row_15 = [one for one in answer.cells if 15 in one.rows]
    assert {one.matrix_role for one in row_15} == {"police", "prosecutor", "defender", "pm"}
    assert all(one.rule == "consent" and one.law for one in row_15)
