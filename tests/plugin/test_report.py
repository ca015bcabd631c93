"""What ``authio inspect`` says, without a server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from authio.plugin import Context
from authio.plugin.loader import Plugins, load
from authio.plugin.report import report
from authio.plugin.testing import ServedOnly
from tests.plugin.conftest import DISCOVERY, METADATA

ADDRESS = "https://contoso.acmeid.example/saml/0a1b2c3d/metadata"
ISSUER = "https://contoso.acmeid.example"
SHAPE = {"verdict", "provider", "protocol", "findings", "settings"}


@pytest.fixture
def everything(acme_site: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """What is installed, and the made-up provider."""
    monkeypatch.syspath_prepend(str(acme_site))
    return load()


def test_a_file_is_recognised_before_it_is_judged(everything: Plugins, context: Context) -> None:
    told = report(everything, context, file=METADATA)

    assert set(told) >= SHAPE
    assert (told["verdict"], told["provider"], told["protocol"]) == ("accept", "acme", "saml")
    assert told["settings"]["idp_entity_id"] == "https://contoso.acmeid.example/saml/0a1b2c3d"


def test_a_discovery_document_is_recognised_as_well(everything: Plugins, context: Context) -> None:
    told = report(everything, context, file=DISCOVERY)

    assert (told["verdict"], told["provider"], told["protocol"]) == ("accept", "acme", "oidc")


def test_an_unknown_document_goes_to_the_catch_all(everything: Plugins, context: Context) -> None:
    strange = METADATA.replace(b"acmeid.example", b"nobody.example")

    told = report(everything, context, file=strange)

    assert (told["verdict"], told["provider"]) == ("accept", "generic_saml")


def test_what_cannot_be_read_belongs_to_nobody(everything: Plugins, context: Context) -> None:
    told = report(everything, context, file=b"%PDF-1.7")

    assert (told["verdict"], told["provider"]) == ("reject", None)
    assert [finding["code"] for finding in told["findings"]] == ["not_xml"]


def test_an_address_is_recognised_fetched_and_judged(everything: Plugins, context: Context) -> None:
    fetch = ServedOnly({ADDRESS: METADATA})

    told = report(everything, replace(context, fetch=fetch), url=ADDRESS)

    assert (told["verdict"], told["provider"]) == ("accept", "acme")
    assert told["settings"]["metadata_url"] == ADDRESS
    assert fetch.asked == [ADDRESS]


def test_an_issuer_is_an_address_too(everything: Plugins, context: Context) -> None:
    well_known = f"{ISSUER}/.well-known/openid-configuration"
    fetch = ServedOnly({well_known: DISCOVERY})

    told = report(everything, replace(context, fetch=fetch), url=well_known)

    assert (told["verdict"], told["provider"], told["protocol"]) == ("accept", "acme", "oidc")
    assert fetch.asked == [well_known]


def test_an_address_that_is_refused_is_not_fetched(everything: Plugins, context: Context) -> None:
    fetch = ServedOnly({})

    told = report(everything, replace(context, fetch=fetch), provider="acme", url="https://10.1.2.3/metadata")

    assert [(finding["code"], finding["field"]) for finding in told["findings"]] == [
        ("private_address", "metadata_url")
    ]
    assert not fetch.asked


def test_values_are_judged_alone(everything: Plugins, context: Context) -> None:
    fetch = ServedOnly({})

    told = report(
        everything, replace(context, fetch=fetch), provider="acme", values={"metadata_url": f" {ADDRESS} "}
    )

    assert told["verdict"] == "accept"
    assert told["settings"] is None
    assert told["values"] == {"metadata_url": ADDRESS}
    assert not fetch.asked


def test_a_value_without_a_provider_is_recognised(everything: Plugins, context: Context) -> None:
    told = report(everything, context, values={"metadata_url": ADDRESS.replace("metadata", "sso")})

    assert (told["verdict"], told["provider"]) == ("reject", "acme")
    assert told["findings"][0]["code"] == "sso_url_not_metadata"


def test_SEC_28_a_secret_is_judged_and_not_repeated(everything: Plugins, context: Context) -> None:
    told = report(everything, context, provider="acme", values={"client_secret": "kept to ourselves"})

    assert told["verdict"] == "reject"
    assert "kept" not in str(told)


def test_our_own_document_is_known_by_its_entity_id(everything: Plugins, context: Context) -> None:
    document = METADATA.replace(b"IDPSSODescriptor", b"SPSSODescriptor")
    own = "https://contoso.acmeid.example/saml/0a1b2c3d"

    told = report(everything, replace(context, sp=None), file=document, sp_entity_id=own)

    assert [finding["code"] for finding in told["findings"]] == ["own_sp_metadata"]


@pytest.mark.parametrize("how", [{"file": METADATA}, {"url": ADDRESS}, {"values": {"metadata_url": ADDRESS}}])
def test_a_provider_that_is_not_installed_is_said_so(
    everything: Plugins, context: Context, how: dict[str, object]
) -> None:
    told = report(everything, context, provider="nobody", **how)  # type: ignore[arg-type]

    assert (told["verdict"], told["provider"]) == ("reject", "nobody")
    assert told["findings"][0]["code"] == "provider_unknown"
