from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.authenticate import Authenticator, Identity, Issuer
from services.command.install import AUDIENCE, ISSUER, install
from services.command.layout import AREAS, Layout
from services.command.main import main
from services.command.ports import Ports
from services.command.token import NoToken, Wanted, mint
from services.shared.errors import Code, LeadError
from tests.support.clock import FakeClock

PAR = "par_01940000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = Layout.at(tmp_path_factory.mktemp("exchange"))
    install(layout, Ports(1, 2, dict.fromkeys(AREAS, 3)))
    return layout.data


def _identity(data: Path, wanted: Wanted, clock: FakeClock | None = None) -> Identity:
    clock = clock or FakeClock()
    token = mint(data, wanted, FakeClock().now().timestamp())
    return Authenticator((Issuer(ISSUER, AUDIENCE, Layout.at(data).jwks),), clock).identify(f"Bearer {token}")


def test_the_gateway_believes_a_token_and_reads_what_it_was_to_say(data: Path) -> None:
    wanted = Wanted("prosecutor", purposes=("DIVERSION_ELIG",), sites=("seattle",), account="acc_1", agency="office")
    assert _identity(data, wanted) == Identity(
        account_id="acc_1",
        roles=("prosecutor",),
        agency_id="office",
        purposes=("DIVERSION_ELIG",),
        site_ids=("seattle",),
        acr="development",
    )


def test_without_an_account_it_is_of_the_first_registered_one_of_the_role(data: Path) -> None:
    found = _identity(data, Wanted("police_officer"))
    assert (found.agency_id, found.account_id[-3:]) == ("sample-police", "001")
    assert _identity(data, Wanted("police_officer", agency="sample-sheriff")).agency_id == "sample-sheriff"


def test_a_participants_token_names_the_participant_and_no_agency(data: Path) -> None:
    found = _identity(data, Wanted("participant", participant=PAR))
    assert (found.participant_id, found.agency_id, found.roles) == (PAR, "", ("participant",))


def test_a_token_runs_out(data: Path) -> None:
    later = FakeClock()
    later.advance(61)
    with pytest.raises(LeadError) as refused:
        _identity(data, Wanted("auditor", ttl=60), later)
    assert refused.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted("chief"), "no such role"),
        (Wanted("prosecutor", purposes=("CURIOSITY",)), "no such purpose"),
        (Wanted("participant"), "--participant"),
        (Wanted("auditor", participant=PAR), "--participant"),
        (Wanted("prosecutor", agency="sample-police"), "No account of sample-police"),
    ],
)
def test_what_makes_no_token_is_said_in_words(data: Path, wanted: Wanted, why: str) -> None:
    with pytest.raises(NoToken, match=why):
        mint(data, wanted)


def test_a_folder_without_a_development_issuer_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["token", "--role", "auditor", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "no development issuer" in done.output


def test_the_command_prints_the_token_alone(data: Path) -> None:
    done = CliRunner().invoke(main, ["token", "--role", "auditor", "--data", str(data)])
    assert done.exit_code == 0
    assert done.output.count(".") == 2
    assert done.output.count("\n") == 1


def test_without_a_registry_an_account_must_be_named(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    install(layout, Ports(1, 2, dict.fromkeys(AREAS, 3)), seed=False)
    with pytest.raises(NoToken, match="--account"):
        mint(tmp_path, Wanted("auditor"))
    assert mint(tmp_path, Wanted("auditor", account="acc_1"))
