"""What is special about Microsoft Entra ID over OpenID Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authio.plugin import OidcSettings

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
TENANT = "7e02ff05-b7c1-4ce2-bf76-95f56fced11d"
APP = "bc78e3f2-e95a-4138-a5bc-6949f6421bd1"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
DISCOVERY = {f"{ISSUER}/.well-known/openid-configuration": (DATA / "tenant.json").read_bytes()}
SECRET_ID = "27c88bef-438d-4d02-8874-b24653f2acb9"


def test_the_tenant_says_the_issuer_and_tokens_must_name_it(bring: Bring) -> None:
    answers = {"tenant_id": f"{{{TENANT.upper()}}}", "client_id": APP.upper(), "client_secret": "Va1ue~of.it"}

    settings = bring("entra-oidc", answers, serves=DISCOVERY).settings

    assert isinstance(settings, OidcSettings)
    assert (settings.issuer, settings.client_id) == (ISSUER, APP)
    assert settings.required_claims == {"tid": (TENANT,)}


def test_a_tenant_that_does_not_exist_is_said_of_the_id(bring: Bring) -> None:
    answers = {"tenant_id": APP, "client_id": APP, "client_secret": "Va1ue~of.it"}

    (finding,) = bring("entra-oidc", answers, serves=DISCOVERY).findings

    assert (finding.code, finding.field) == ("fetch_failed", "tenant_id")
    assert "Directory (tenant) ID" in finding.message


def test_SEC_28_the_secrets_id_is_refused_without_being_shown(judge: Judge) -> None:
    (finding,) = judge("entra-oidc", "client_secret", SECRET_ID).findings

    assert (finding.code, finding.is_error) == ("looks_like_secret_id", True)
    assert "column Value" in finding.message
    assert SECRET_ID not in str(finding.to_json())


def test_a_secrets_value_is_taken_as_it_is(judge: Judge) -> None:
    value = "abC8Q~dEfGhIjKlMnOpQrStUvWxYz.0123456789"

    judged = judge("entra-oidc", "client_secret", value)

    assert (judged.value, judged.findings) == (value, ())


@pytest.mark.parametrize("field", ["tenant_id", "client_id"])
@pytest.mark.parametrize("value", ["Acme Example", "acme.onmicrosoft.com", TENANT[:-1], TENANT + "0"])
def test_only_a_whole_id_is_an_id(judge: Judge, field: str, value: str) -> None:
    (finding,) = judge("entra-oidc", field, value).findings

    assert (finding.code, finding.field) == ("not_a_guid", field)


@pytest.mark.parametrize("word", ["common", "organizations", "consumers"])
def test_a_word_for_any_tenant_has_no_issuer(judge: Judge, word: str) -> None:
    issuer = f"https://login.microsoftonline.com/{word}/v2.0"

    assert [f.code for f in judge("entra-oidc", "issuer", issuer).findings] == ["tenant_template"]
    assert judge("entra-oidc", "issuer", ISSUER).findings == ()


def test_people_are_told_apart_by_object_id_before_the_pairwise_subject(bring: Bring) -> None:
    answers = {"tenant_id": TENANT, "client_id": APP, "client_secret": "Va1ue~of.it"}

    attributes = bring("entra-oidc", answers, serves=DISCOVERY).connector.attributes

    assert attributes["id"] == ("oid", "sub")
