"""What every reply carries and what the log keeps, whatever face answers."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

import pytest
from webtest import TestApp

from authio.app import Runtime

TOKENS = "/v1/sso/admin-portal/tokens"
ANYWHERE = [
    "/organizations",
    "/organizations/org_x",
    "/nope",
    "/health",
    "/setup/apl_nope",
    "/sso/saml/x/metadata",
    "/%FF",
]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(one.getMessage()) for one in caplog.records if one.name == "authio.access"]


def test_every_reply_names_its_request(api: TestApp, subtests: pytest.Subtests) -> None:
    for path in ANYWHERE:
        with subtests.test(path=path):
            first, second = (api.get(path, expect_errors=True) for _ in range(2))

            assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{26}", first.headers["X-Request-ID"])
            assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_an_error_names_the_same_request_in_its_body(api: TestApp) -> None:
    answer = api.get("/organizations/org_x", status=404)

    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_a_caller_cannot_choose_the_request_id(api: TestApp) -> None:
    answer = api.get("/organizations", headers={"X-Request-ID": "req_chosen"})

    assert answer.headers["X-Request-ID"] != "req_chosen"


def test_SEC_12_every_reply_carries_the_common_headers(api: TestApp, subtests: pytest.Subtests) -> None:
    for path in ANYWHERE:
        with subtests.test(path=path):
            headers = api.get(path, expect_errors=True).headers

            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"]
            assert "Server" not in headers
            assert "Strict-Transport-Security" not in headers


def test_the_api_s_answers_are_not_kept_by_caches(api: TestApp) -> None:
    assert api.get("/organizations").headers["Cache-Control"] == "no-store"


class TestOverTls:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.base_url": "https://sso.example.com", "authio.plain_http_cookies": "false"}

    def test_SEC_12_browsers_are_told_to_stay_with_tls(self, api: TestApp) -> None:
        assert "max-age=" in api.get("/organizations").headers["Strict-Transport-Security"]


def test_a_request_is_one_line_that_says_who_asked_for_what(
    api: TestApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "authio.access")

    answer = api.get("/organizations?search=private", headers={"User-Agent": "x\r\nforged: line"})

    (line,) = lines(caplog)
    assert line["request"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/organizations", 200)
    assert line["actor"].startswith("apikey_")
    assert line["address"] == "127.0.0.1"
    assert line["ms"] >= 0
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    "path", ["/a%0d%0ab", "/a%00b", "/%C3%BC", "/%FF", "/x%E2%80%A8y", '/"quoted"', "/a%1b[31mb"]
)
def test_SEC_17_one_request_is_one_line_whatever_its_path(
    api: TestApp, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO, "authio.access")

    api.get(path, expect_errors=True)

    (record,) = [one for one in caplog.records if one.name == "authio.access"]
    assert record.getMessage().isprintable()
    assert record.getMessage().isascii()


def test_SEC_17_no_secret_reaches_the_log(
    api: TestApp, organization: dict[str, Any], project: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    minted = api.post_json(
        TOKENS, {"organization_id": organization["id"]}, headers={"Idempotency-Key": "k"}
    ).json
    endpoint = api.post_json(
        "/webhook_endpoints", {"endpoint_url": "https://a.example.com/", "events": ["*"]}
    ).json
    secrets = [minted["token"], project.api_key, endpoint["secret"], minted["token"].removeprefix("apl_")]

    for path in (
        # First, because the test client cannot put a cookie to such an address.
        f"/{minted['token']}%FF",
        f"/setup/{minted['token']}",
        f"/setup/{minted['token']}/nope",
        # Half of it: whoever reads the log has the other half to guess.
        f"/setup/{minted['token'].removeprefix('apl_')}",
        f"/nope/{minted['token']}",
        f"/organizations/{minted['token']}",
        f"/setup/{project.api_key}",
        f"/organizations?search={minted['token']}",
    ):
        api.get(path, expect_errors=True)
    api.post(f"/setup/{minted['token']}", expect_errors=True)

    assert not [secret for secret in secrets if secret in caplog.text]
    assert len(lines(caplog)) == 11


def test_what_is_unexpected_is_logged_once_and_told_to_nobody(
    api: TestApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a detail of ours")

    monkeypatch.setattr("authio.services.organizations.Organizations.page", broken)

    answer = api.get("/organizations", status=500)

    assert answer.json["code"] == "internal_error"
    assert "a detail of ours" not in answer.text
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert answer.json["request_id"] in errors[0].getMessage()
    assert "a detail of ours" in caplog.text


def test_SEC_123_a_database_that_is_away_is_503_and_comes_back(api: TestApp, runtime: Runtime) -> None:
    from sqlalchemy import event, exc

    def away(*_: Any) -> None:
        raise exc.OperationalError("SELECT", {}, Exception("gone"))

    event.listen(runtime.database.engine, "before_cursor_execute", away)
    for method, path in (
        ("GET", "/organizations"),
        ("POST", TOKENS),
        ("GET", "/health"),
        ("GET", "/sso/saml/01JD8Z6R3V5T7X9B1D3F5H7K9M/metadata"),
    ):
        answer = api.request(path, method=method, status=503)
        assert answer.json["code"] == "db_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    event.remove(runtime.database.engine, "before_cursor_execute", away)

    api.get("/organizations", status=200)


def test_SEC_123_a_database_that_fails_at_the_commit_is_503_and_nothing_was_done(
    api: TestApp, runtime: Runtime
) -> None:
    from sqlalchemy import event, exc

    def away(_: Any) -> None:
        raise exc.OperationalError("COMMIT", {}, Exception("gone"))

    event.listen(runtime.database.engine, "commit", away)
    api.post_json("/organizations", {"name": "A"}, status=503)
    event.remove(runtime.database.engine, "commit", away)

    assert api.get("/organizations").json["data"] == []


def test_SEC_123_whoever_waits_for_somebody_elses_write_is_answered_within_ten_seconds(
    api: TestApp, organization: dict[str, Any], project: Any, runtime: Runtime
) -> None:
    started = time.monotonic()

    with runtime.begin() as holding:
        holding.organizations.hold(project.id, organization["id"])
        answer = api.post_json(TOKENS, {"organization_id": organization["id"]}, status=503)

    assert time.monotonic() - started < 10
    assert answer.json["code"] == "db_unavailable"
    api.post_json(TOKENS, {"organization_id": organization["id"]}, status=201)


def test_health_needs_no_key_and_tells_nothing_else(app: TestApp) -> None:
    answer = app.get("/health", status=200)

    assert answer.json == {"status": "ok"}
    assert answer.headers["Content-Type"] == "application/json"
    assert app.head("/health", status=200).body == b""
