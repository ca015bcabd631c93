"""What is special about Microsoft Entra ID over SAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from authio_entra import PROVIDER

from authio.plugin import Confidence, SamlSettings

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
TENANT = "7e02ff05-b7c1-4ce2-bf76-95f56fced11d"
APP = "bc78e3f2-e95a-4138-a5bc-6949f6421bd1"
METADATA = (DATA / "good.xml").read_bytes()
PATH = f"/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
TENANT_WIDE = f"https://login.microsoftonline.com{PATH}"
ADDRESS = f"{TENANT_WIDE}?appid={APP}"


def test_two_ids_build_the_metadata_address(bring: Bring) -> None:
    answers = {"tenant_id": f" {{{TENANT.upper()}}} ", "app_id": APP.upper()}

    inspection = bring("entra-saml", answers, serves={ADDRESS: METADATA})

    assert isinstance(inspection.settings, SamlSettings)
    assert inspection.settings.metadata_url == ADDRESS
    assert inspection.answers == {"tenant_id": TENANT, "app_id": APP}


def test_a_built_address_that_does_not_answer_is_said_of_the_id(bring: Bring) -> None:
    (finding,) = bring("entra-saml", {"tenant_id": TENANT, "app_id": APP}).findings

    assert (finding.code, finding.field) == ("fetch_failed", "tenant_id")


def test_an_address_wins_over_the_ids(bring: Bring) -> None:
    answers = {"metadata_url": ADDRESS, "tenant_id": APP, "app_id": TENANT}

    inspection = bring("entra-saml", answers, serves={ADDRESS: METADATA})

    assert isinstance(inspection.settings, SamlSettings)
    assert inspection.settings.metadata_url == ADDRESS


@pytest.mark.parametrize("word", ["common", "Organizations", "consumers"])
def test_a_word_for_any_tenant_is_no_tenant(judge: Judge, word: str) -> None:
    assert [f.code for f in judge("entra-saml", "tenant_id", word).findings] == ["tenant_template"]
    address = ADDRESS.replace(TENANT, word)
    assert [f.code for f in judge("entra-saml", "metadata_url", address).findings] == ["tenant_template"]


@pytest.mark.parametrize("query", ["", "?appid=", "?appid=product-portal", "?app=" + APP])
def test_an_address_without_an_application_is_the_whole_tenants(judge: Judge, query: str) -> None:
    (finding,) = judge("entra-saml", "metadata_url", TENANT_WIDE + query).findings

    assert (finding.code, finding.is_error) == ("entra_tenant_wide_metadata", False)
    assert "App Federation Metadata Url" in finding.message


def test_the_tenants_keys_are_noticed_in_the_document(bring: Bring) -> None:
    document = (DATA / "tenant-wide-metadata.xml").read_bytes()

    (finding,) = bring("entra-saml", {"metadata_file": document}).findings

    assert (finding.code, finding.is_error) == ("entra_tenant_wide_metadata", False)


def test_an_address_and_its_document_say_it_once(bring: Bring) -> None:
    document = (DATA / "tenant-wide-metadata.xml").read_bytes()

    inspection = bring("entra-saml", {"metadata_url": TENANT_WIDE}, serves={TENANT_WIDE: document})

    assert [f.code for f in inspection.findings] == ["entra_tenant_wide_metadata"]


def test_a_certificate_of_the_customers_own_is_fine(bring: Bring) -> None:
    document = (DATA / "customer-supplied-cert.xml").read_bytes()

    assert bring("entra-saml", {"metadata_file": document}).findings == ()


@pytest.mark.parametrize("host", ["login.microsoftonline.us", "login.partner.microsoftonline.cn"])
def test_national_clouds_are_microsofts(judge: Judge, host: str) -> None:
    assert judge("entra-saml", "metadata_url", f"https://{host}{PATH}?appid={APP}").findings == ()


def test_the_right_path_on_a_strange_host_is_refused(judge: Judge) -> None:
    address = ADDRESS.replace("microsoftonline.com", "microsoftonline.com.attacker.example")

    (finding,) = judge("entra-saml", "metadata_url", address).findings

    assert (finding.code, finding.is_error) == ("wrong_host", True)
    assert finding.found == "login.microsoftonline.com.attacker.example"


@pytest.mark.parametrize(
    "console",
    [
        "https://portal.azure.com/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade",
        "https://entra.microsoft.com/",
        "https://myapps.microsoft.com/signin/Portal/" + APP,
        "https://launcher.myapps.microsoft.com/api/signin/" + APP,
    ],
)
def test_consoles_are_named_as_consoles(judge: Judge, console: str) -> None:
    (finding,) = judge("entra-saml", "metadata_url", console).findings

    assert finding.code == "admin_console_url"
    assert "SAML Certificates" in finding.message


def test_the_claims_entra_sends_by_default_come_first() -> None:
    attributes = PROVIDER.connectors[0].attributes

    assert attributes["id"][0] == "http://schemas.microsoft.com/identity/claims/objectidentifier"
    assert attributes["email"][0].endswith("/identity/claims/emailaddress")
    assert [name.rsplit("/", 1)[-1] for name in attributes["email"][-2:]] == ["name", "upn"]


def test_addresses_are_recognised() -> None:
    saml = PROVIDER.connectors[0]

    assert saml.recognise(ADDRESS) is Confidence.SURE
    assert saml.recognise(f"https://sts.windows.net/{TENANT}/") is Confidence.SURE
    assert (
        saml.recognise(f"https://adfs.acme.example{PATH.removeprefix('/' + TENANT)}")
        is Confidence.CONTRADICTED
    )
