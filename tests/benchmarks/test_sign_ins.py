"""Signing in as it is measured: everybody who is counted was really signed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from authio.app import Runtime
from authio.settings import Settings
from benchmarks import machine, report
from benchmarks.connections import connect
from benchmarks.driver import Answer, Batch, Driver, UnexpectedAnswer, check, encode
from benchmarks.figures import summary, whole_per_second
from benchmarks.inprocess import InProcess
from benchmarks.metadata import IdentityProvider
from benchmarks.servers import OpenIdProvider, running
from benchmarks.sign_ins import PHASES, SCENARIOS, AuthioBroker, Way, oidc_answers, play, saml_answers
from benchmarks.verification import verification
from tests.conftest import Project
from tools.services import free_port

SAML = [name for name, scenario in SCENARIOS.items() if scenario.protocol == "saml"]


@dataclass(frozen=True)
class Stage:
    """A process of ours with connections for every scenario."""

    sender: InProcess
    broker: AuthioBroker
    ways: dict[str, list[Way]]
    identity_provider: IdentityProvider

    def play(self, name: str, ways: list[Way] | None = None) -> Any:
        """Three people sign in as *name* has it."""
        answering = saml_answers(SCENARIOS[name], self.identity_provider)
        return play(self.sender, self.broker, ways or self.ways[name], answering, size=3)


@pytest.fixture(scope="module")
def port() -> int:
    """Where the OpenID provider listens."""
    return free_port()


@pytest.fixture
def ini(port: int) -> dict[str, str]:
    """The one loopback address that may be called."""
    return {"authio.outbound_allow": f"127.0.0.1:{port}"}


@pytest.fixture
def stage(settings: Settings, project: Project, port: int) -> Iterator[Stage]:
    """The application, by the real clock."""
    identity_provider = IdentityProvider()
    ways = connect(
        settings,
        project_id=project.id,
        identity_provider=identity_provider,
        issuer=f"http://127.0.0.1:{port}",
        count=2,
    )
    runtime = Runtime(settings)
    sender = InProcess(runtime.wsgi())
    broker = AuthioBroker(sender, client_id=project.client_id, api_key=project.api_key)
    yield Stage(sender, broker, ways, identity_provider)
    runtime.close()


@pytest.mark.parametrize("name", SAML)
def test_over_saml_everybody_arrives(stage: Stage, name: str) -> None:
    timed = stage.play(name)
    assert {phase: len(batch.answers) for phase, batch in timed.items()} == dict.fromkeys(PHASES, 3)
    signed_in_over = [answer.json()["profile"]["connection_id"] for answer in timed["token"].answers]
    first, second = (way.id for way in stage.ways[name])
    assert signed_in_over == [first, second, first]


def test_over_openid_connect_everybody_arrives(stage: Stage, port: int, tmp_path: Path) -> None:
    ways = stage.ways["oidc"]
    provider = OpenIdProvider(tmp_path, port=port, redirect_uris=[way.acs_url for way in ways])
    with running(provider):
        driver = Driver(port)
        timed = play(stage.sender, stage.broker, ways, oidc_answers(driver), size=3)
        driver.close()
    assert [answer.json()["profile"]["email"] for answer in timed["token"].answers] == [ways[0].email] * 3


def test_nothing_is_counted_as_signed_or_encrypted_that_is_not(stage: Stage) -> None:
    with pytest.raises(UnexpectedAnswer, match="a request that is not signed"):
        stage.play("signed_request", stage.ways["both"])
    with pytest.raises(UnexpectedAnswer, match="without a key to encrypt to"):
        stage.play("encrypted", stage.ways["both"])


def test_an_assertion_that_is_refused_ends_the_benchmark(stage: Stage) -> None:
    strangers = [replace(way, idp_entity_id="https://elsewhere.example") for way in stage.ways["both"]]
    with pytest.raises(UnexpectedAnswer, match=r"/acs HTTP/1.1: 403 instead of 302"):
        stage.play("both", strangers)


def test_an_unexpected_answer_to_a_callback_shows_no_code() -> None:
    request = encode("127.0.0.1", "GET", "/sso/oidc/01J/callback?code=secret", status=302)
    with pytest.raises(UnexpectedAnswer, match="GET /sso/oidc/01J/callback: 403 instead of 302") as told:
        check(request, Answer(403, b"", b"", 0.1))
    assert "secret" not in str(told.value)


def test_somebody_else_s_profile_ends_the_benchmark(stage: Stage) -> None:
    way = stage.ways["both"][0]
    answer = stage.play("both", [way])["token"].answers[0]
    stage.broker.check_profile(way, answer)
    with pytest.raises(UnexpectedAnswer, match="somebody else"):
        stage.broker.check_profile(replace(way, email="eve@acme.example"), answer)


def test_a_whole_sign_in_takes_as_long_as_its_phases_together() -> None:
    assert whole_per_second([_round(acs=3.0)]) == 20.0


def test_the_report_tells_each_promise_about_signing_in() -> None:
    missed = _targets(_found(ratios={"authorize": 2.0, "acs": 1.9, "token": 1.5}, memory=160, both=6.1))
    assert {what for what, met in missed.items() if not met} == {
        "one verification, both signatures, ms of CPU",
        "one verification, both signatures, ms of CPU (aim)",
        "memory after signing in, SQLite",
        "ACS (both signatures) beside the peer, SQLite",
        "ACS (both signatures) beside the peer, SQLite (aim)",
        "token beside the peer, SQLite (aim)",
    }
    kept = _targets(_found(ratios={"authorize": 2.0, "acs": 4.0, "token": 2.0}, memory=159, both=1.5))
    assert kept.keys() == missed.keys()
    assert all(kept.values())


def test_without_a_peer_nothing_is_said_about_one() -> None:
    found = _found(ratios={}, memory=100, both=1.0)
    del found["signin"]["peer"]
    assert not any("peer" in what for what in _targets(found))
    assert "beside the peer" not in report.markdown(found)


def test_every_scenario_has_its_row() -> None:
    text = report.markdown(_found(ratios=dict.fromkeys(PHASES, 1.0), memory=100, both=1.0))
    for scenario in SCENARIOS.values():
        assert f"| {scenario.title} | 25 | 100 | 50 | 100 |" in text


def test_verifying_costs_more_than_its_floor_and_decrypting_more_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.verification._TIMES", 20)
    found = verification()
    assert 0 < found["floor"] < found["both"] < found["encrypted"]


def _targets(found: dict[str, Any]) -> dict[str, bool]:
    return {one.what: one.met for one in report.targets(found)}


def _found(*, ratios: dict[str, float], memory: int, both: float) -> dict[str, Any]:
    rounds = [_round(acs=2.0)]
    measured: dict[str, Any] = {"phases": summary(rounds), "sign_ins_per_second": whole_per_second(rounds)}
    return {
        "machine": machine.description(Path()),
        "rounds": 1,
        "size_of_round": 100,
        "signin": {
            "floor": measured["phases"]["token"],
            "databases": {"sqlite": {"scenarios": dict.fromkeys(SCENARIOS, measured), "memory_mb": memory}},
            "peer": {**measured, "ratios": ratios, "memory_mb": 150},
            "verification_ms": {"floor": 0.5, "assertion": both, "both": both, "encrypted": both},
        },
    }


def _round(*, acs: float) -> dict[str, Batch]:
    seconds = {"authorize": 1.0, "acs": acs, "token": 1.0}
    return {
        phase: Batch([Answer(200, b"", b"", whole / 100)] * 100, whole) for phase, whole in seconds.items()
    }
