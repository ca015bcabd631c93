"""SEC-111: who asks is proven by an API key, in one header, and a revoked one is worthless at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authio.crypto import new_api_key
from authio.wire.operations import OPERATIONS
from tests.conftest import Project
from tests.web.api.conftest import TOKENS, Begin, Vendor


def ask(app: Vendor, authorization: str | None, path: str = "/organizations") -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.get(path, headers=headers, expect_errors=True)


@pytest.fixture
def anybody(vendor: Callable[[None], Vendor]) -> Vendor:
    return vendor(None)


def test_SEC_111_every_operation_wants_a_key(anybody: Vendor, subtests: pytest.Subtests) -> None:
    for operation in OPERATIONS.values():
        with subtests.test(operation=operation):
            for path in operation.paths:
                answer = anybody.request(
                    path.replace("{", "").replace("}", ""), method=operation.method, expect_errors=True
                )
                assert (answer.status_int, answer.json["code"]) == (401, "missing_api_key")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


KEYLESS_HEADERS = ["", "Bearer", "Bearer ", "Basic c2tfeDo=", "sk_x", "Token sk_x"]


def test_SEC_111_a_header_without_a_bearer_key_is_none(anybody: Vendor, subtests: pytest.Subtests) -> None:
    for authorization in KEYLESS_HEADERS:
        with subtests.test(authorization=authorization):
            assert ask(anybody, authorization).json["code"] == "missing_api_key"


def test_SEC_111_a_key_that_is_not_ours_is_refused(anybody: Vendor, project: Project) -> None:
    real = project.api_key
    wrong = [new_api_key(), real[:-1], real + "0", real.upper(), real[:-1] + "x", "sk_", "sk_ü", "x" * 10_000]

    for key in wrong:
        answer = ask(anybody, f"Bearer {key}")
        assert (answer.status_int, answer.json["code"]) == (401, "invalid_api_key")
        assert key not in answer.text


def test_SEC_111_several_credentials_are_no_credential(anybody: Vendor, project: Project) -> None:
    for both in (f"Bearer {project.api_key}, Bearer {project.api_key}", f"Bearer {project.api_key},x"):
        assert ask(anybody, both).status_int == 401


SCHEMES = ["Bearer", "bearer", "BEARER", "Bearer "]


def test_the_scheme_may_be_written_in_any_case(
    anybody: Vendor, project: Project, subtests: pytest.Subtests
) -> None:
    for scheme in SCHEMES:
        with subtests.test(scheme=scheme):
            assert ask(anybody, f"{scheme} {project.api_key}").status_int == 200


PLACES_IN_AN_ADDRESS = ["?api_key={key}", "?access_token={key}", "?client_secret={key}"]


def test_SEC_111_a_key_in_an_address_is_not_looked_at(
    anybody: Vendor, project: Project, subtests: pytest.Subtests
) -> None:
    for place in PLACES_IN_AN_ADDRESS:
        with subtests.test(place=place):
            assert ask(anybody, None, "/organizations" + place.format(key=project.api_key)).status_int == 401


def test_SEC_111_a_revoked_key_stops_at_once_and_the_others_go_on(
    anybody: Vendor, project: Project, services: Begin
) -> None:
    with services() as s:
        (first,) = s.projects.keys(project.id)
        _, second = s.projects.add_key(project.id, name="second")
    assert ask(anybody, f"Bearer {project.api_key}").status_int == 200

    with services() as s:
        s.projects.revoke_key(project.id, first.id)

    assert ask(anybody, f"Bearer {project.api_key}").json["code"] == "invalid_api_key"
    assert ask(anybody, f"Bearer {second}").status_int == 200


def test_SEC_111_revocation_holds_in_a_process_that_has_just_taken_the_key(
    start: Callable[..., Any], settings: Any, project: Project, services: Begin, wsgi: Any
) -> None:
    elsewhere = Vendor(start(settings).wsgi(), project.api_key)
    elsewhere.get("/organizations", status=200)

    with services() as s:
        s.projects.revoke_key(project.id, s.projects.keys(project.id)[0].id)

    elsewhere.get("/organizations", status=401)


def test_a_key_s_last_use_is_written_down_once_a_minute(
    api: Vendor, project: Project, services: Begin, clock: Any, statements: Any
) -> None:
    def last_used() -> Any:
        with services(write=False) as s:
            return s.projects.keys(project.id)[0].last_used_at

    assert last_used() is None
    api.get("/organizations")
    first = last_used()
    clock.step(seconds=59)
    with statements() as seen:
        api.get("/organizations")
    assert not [one for one in seen if one.startswith("UPDATE")]
    assert last_used() == first
    clock.step(seconds=1)
    api.get("/organizations")
    assert last_used() == clock.now()


def test_a_database_that_takes_no_writes_still_answers_reads(
    api: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import exc

    def read_only(*_: Any) -> None:
        raise exc.OperationalError("UPDATE", {}, Exception("attempt to write a readonly database"))

    monkeypatch.setattr("authio.services.projects.Projects.note_used", read_only)

    api.get("/organizations", status=200)


def test_a_request_without_a_key_never_takes_a_lock(
    anybody: Vendor, services: Begin, organization: dict[str, Any]
) -> None:
    """While somebody writes for long, whoever has no key is refused at once, and does not queue up."""
    body = {"organization_id": organization["id"]}
    headers = {"Authorization": f"Bearer {new_api_key()}"}

    with services() as s:
        s.projects.create("holds the lock")
        refused = anybody.post_json(TOKENS, body, headers=headers, status=401)

    assert refused.json["code"] == "invalid_api_key"
