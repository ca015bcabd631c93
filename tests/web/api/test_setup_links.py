"""Setup links over the API: minted, shown without their token, listed, revoked, replaced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from authio.models import audit_events, setup_links
from tests.conftest import Project
from tests.web.api.conftest import TOKENS, Begin, Vendor

Mint = Callable[..., dict[str, Any]]


def test_a_mint_answers_with_token_and_address(
    mint: Mint, project: Project, organization: dict[str, Any]
) -> None:
    made = mint()

    assert list(made)[:4] == ["object", "id", "token", "url"]
    assert re.fullmatch(r"apl_[A-Za-z0-9_-]{43}", made["token"])
    assert made["url"] == f"http://localhost:6543/setup/{made['token']}"
    assert (made["object"], made["state"], made["intents"]) == ("admin_portal_token", "open", ["sso"])
    assert (made["project_id"], made["organization_id"]) == (project.id, organization["id"])


def test_SEC_01_the_token_is_stored_as_its_digest_and_nowhere_else(
    mint: Mint, services: Begin, api: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = mint()["token"]

    from authio.models import metadata

    with services(write=False) as s:
        stored = [
            str(row) for table in metadata.sorted_tables for row in s.session.execute(sa.select(table)).all()
        ]
        digest = s.session.execute(sa.select(setup_links.c.digest)).scalar_one()
    assert bytes(digest) == hashlib.sha256(token.encode()).digest()
    assert not [row for row in stored if token in row]
    assert token not in caplog.text


def test_a_link_lives_a_day_unless_the_mint_says_otherwise(mint: Mint) -> None:
    made, short = mint(), mint(ttl_seconds=300)

    def life(link: dict[str, Any]) -> timedelta:
        return datetime.fromisoformat(link["expires_at"]) - datetime.fromisoformat(link["created_at"])

    assert life(made) == timedelta(hours=24)
    assert life(short) == timedelta(minutes=5)


def test_everything_a_mint_says_is_on_the_link(api: Vendor, mint: Mint) -> None:
    wanted = {
        "intents": ["sso", "sso"],
        "ttl_seconds": 2592000,
        "it_admin_email": "admin@acme.example",
        "return_url": "https://app.example.com/settings?tab=sso#top",
        "success_url": "http://localhost:3000/done",
        "locale": "pt-BR",
        "keep_existing": False,
        "nonsense": 1,
    }

    made = mint(**wanted)

    shown = {key: value for key, value in made.items() if key not in {"token", "url"}}
    assert api.get(f"{TOKENS}/{made['id']}").json == shown
    assert made["intents"] == ["sso"]
    for name in ("it_admin_email", "return_url", "success_url", "locale"):
        assert made[name] == wanted[name]


def test_null_counts_as_absent(mint: Mint) -> None:
    made = mint(
        project_id=None, intents=None, ttl_seconds=None, it_admin_email=None, locale=None, return_url=None
    )

    assert made["intents"] == ["sso"]
    assert "it_admin_email" not in made


OUT_OF_RANGE = [299, 2592001, 0, -1, True, False, 3600.0, 3600.5, "3600", "", [], {}, 10**30]


def test_SEC_06_a_ttl_out_of_range_is_refused(
    api: Vendor, organization: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for ttl in OUT_OF_RANGE:
        with subtests.test(ttl=ttl):
            body = {"organization_id": organization["id"], "ttl_seconds": ttl}

            assert api.post_json(TOKENS, body, status=422).json["code"] == "ttl_out_of_range"


UNAVAILABLE_INTENTS = [["dsync"], ["sso", "dsync"], ["audit_logs"], ["nonsense"]]


def test_an_intent_that_does_not_exist_yet_is_refused(
    api: Vendor, organization: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for intents in UNAVAILABLE_INTENTS:
        with subtests.test(intents=intents):
            body = {"organization_id": organization["id"], "intents": intents}

            assert api.post_json(TOKENS, body, status=422).json["code"] == "intent_not_available"


FORBIDDEN_URLS = [
    "http://app.example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "//app.example.com/",
    "/settings",
    "app.example.com",
    "https://",
    "https://user@app.example.com/",
    "https://user:pass@app.example.com/",
    "http://localhost.example.com/",
    "http://127.0.0.1.example.com/",
    "https://app.example.com\\@evil.example/",
    "https://app .example.com/",
    "ftp://localhost/",
    "https://[::1",
    "http://[localhost]/",
    "https://a.example:99999/",
]

URL_FIELDS = ["return_url", "success_url"]


def test_SEC_15_an_address_that_is_not_absolute_https_is_refused(
    api: Vendor, organization: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for field in URL_FIELDS:
        for url in FORBIDDEN_URLS:
            with subtests.test(url=url, field=field):
                refused = api.post_json(
                    TOKENS, {"organization_id": organization["id"], field: url}, status=422
                ).json

                assert refused["code"] == "url_forbidden"
                assert refused["errors"][0]["field"] == field


WRONG_VALUES = [
    ("organization_id", None),
    ("organization_id", 5),
    ("intents", []),
    ("intents", "sso"),
    ("intents", [None]),
    ("it_admin_email", "nobody"),
    ("it_admin_email", "a@b@c"),
    ("it_admin_email", "a b@c.example"),
    ("it_admin_email", "x" * 310 + "@acme.example"),
    ("it_admin_email", "a@acme.example\r\nBcc: b@evil.example"),
    ("locale", "english please"),
    ("locale", "../../etc"),
    ("locale", 5),
    ("keep_existing", "true"),
    ("keep_existing", 1),
    ("project_id", 5),
    ("return_url", 5),
]


def test_a_value_that_is_wrong_is_named(
    api: Vendor, organization: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for field, value in WRONG_VALUES:
        with subtests.test(field=field, value=value):
            refused = api.post_json(
                TOKENS, {"organization_id": organization["id"], field: value}, status=422
            ).json

            assert refused["code"] == "validation_failed"
            assert refused["errors"][0]["field"].split(".")[0] == field


NO_ORGANIZATIONS = ["org_00000000000000000000000000", "nonsense", "org_x"]


def test_an_organization_that_does_not_exist_is_not_found(api: Vendor, subtests: pytest.Subtests) -> None:
    for organization_id in NO_ORGANIZATIONS:
        with subtests.test(organization_id=organization_id):
            refused = api.post_json(TOKENS, {"organization_id": organization_id}, status=404).json

            assert refused["code"] == "organization_not_found"


def test_the_key_s_own_project_may_be_named(mint: Mint, project: Project) -> None:
    assert mint(project_id=project.id)["project_id"] == project.id


def test_another_project_is_not_found(
    api: Vendor, organization: dict[str, Any], other_project: Project
) -> None:
    for project_id in (other_project.id, "proj_x", "nonsense"):
        body = {"organization_id": organization["id"], "project_id": project_id}
        assert api.post_json(TOKENS, body, status=404).json["code"] == "project_not_found"


def test_SEC_06_another_mint_replaces_the_link(api: Vendor, mint: Mint) -> None:
    first, second = mint(), mint()

    assert api.get(f"{TOKENS}/{first['id']}").json["state"] == "replaced"
    assert api.get(f"{TOKENS}/{second['id']}").json["state"] == "open"


def test_SEC_06_keep_existing_keeps_it(api: Vendor, mint: Mint) -> None:
    first = mint()
    mint(keep_existing=True)

    assert api.get(f"{TOKENS}/{first['id']}").json["state"] == "open"


def test_a_refused_mint_replaces_nothing(api: Vendor, mint: Mint, organization: dict[str, Any]) -> None:
    first = mint()
    api.post_json(TOKENS, {"organization_id": organization["id"], "ttl_seconds": 1}, status=422)

    assert api.get(f"{TOKENS}/{first['id']}").json["state"] == "open"


def test_a_link_whose_time_has_passed_is_shown_as_expired(api: Vendor, mint: Mint, clock: Any) -> None:
    made = mint(ttl_seconds=300)
    clock.step(seconds=299.999)
    before = api.get(f"{TOKENS}/{made['id']}").json["state"]
    clock.step(seconds=0.001)

    assert (before, api.get(f"{TOKENS}/{made['id']}").json["state"]) == ("open", "expired")


def test_a_link_can_be_revoked_once_and_again(api: Vendor, mint: Mint) -> None:
    made = mint()

    for _ in range(2):
        gone = api.delete(f"{TOKENS}/{made['id']}", status=204)
        assert gone.body == b""

    assert api.get(f"{TOKENS}/{made['id']}").json["state"] == "revoked"
    events = api.get("/events", {"events": "admin_portal.link_revoked"}).json["data"]
    assert len(events) == 1


def test_links_are_listed_without_their_tokens(api: Vendor, mint: Mint, organization: dict[str, Any]) -> None:
    first, second = mint(), mint()
    elsewhere = api.post_json("/organizations", {"name": "Other"}).json["id"]
    third = api.post_json(TOKENS, {"organization_id": elsewhere}).json

    everything = api.get(TOKENS)
    mine = api.get(TOKENS, {"organization_id": organization["id"]}).json["data"]

    assert [one["id"] for one in everything.json["data"]] == [third["id"], second["id"], first["id"]]
    assert [one["id"] for one in mine] == [second["id"], first["id"]]
    assert not any(link["token"] in everything.text for link in (first, second, third))


def test_a_mint_is_an_event_and_an_audit_row(
    api: Vendor, mint: Mint, services: Begin, project: Project
) -> None:
    old, made = mint(), mint(it_admin_email="admin@acme.example")

    events = api.get("/events", {"events": "admin_portal.*"}).json["data"]
    with services(write=False) as s:
        rows = s.session.execute(
            sa.select(audit_events).where(audit_events.c.action == "setup_link.minted")
        ).all()
        (key,) = s.projects.keys(project.id)
    assert [(event["event"], event["data"]["id"]) for event in events] == [
        ("admin_portal.link_created", old["id"]),
        ("admin_portal.link_replaced", old["id"]),
        ("admin_portal.link_created", made["id"]),
    ]
    assert events[-1]["context"]["actor"] == {"id": key.id, "source": "api", "name": None}
    assert events[-1]["data"] == {name: made[name] for name in made if name not in {"token", "url"}}
    assert (rows[-1].actor_type, rows[-1].actor_id, rows[-1].ip_address) == ("api_key", key.id, "127.0.0.1")
    assert rows[-1].request_id.startswith("req_")
    assert rows[-1].target_id == made["id"]


def test_what_is_only_ours_is_not_at_the_root(api: Vendor) -> None:
    assert api.get("/sso/admin-portal/tokens", status=404).json["code"] == "not_found"
    assert api.get("/openapi.json", status=404).json["code"] == "not_found"
