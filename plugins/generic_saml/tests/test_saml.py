"""What is special about the provider that takes any SAML: nothing is foreign to it."""

from pathlib import Path

import pytest
from authio_generic_saml import PROVIDER

from authio.plugin.inspection import Verdict, judge_value
from authio.plugin.testing import ProviderContract, Sample, ServedOnly

METADATA = (Path(__file__).parent / "data" / "idp.xml").read_text()


class Suite(ProviderContract):
    provider = PROVIDER


def test_an_entity_id_chooses_among_several_identity_providers() -> None:
    one = METADATA[METADATA.index("<md:EntityDescriptor") :]
    other = one.replace("https://idp.acme.example/saml/metadata", "https://idp.other.example")
    space = "urn:oasis:names:tc:SAML:2.0:metadata"
    wrapped = f'<e:EntitiesDescriptor xmlns:e="{space}">{one}{other}</e:EntitiesDescriptor>'

    undecided = Suite().inspect(Sample("generic-saml", {"metadata_xml": wrapped}))
    decided = Suite().inspect(
        Sample("generic-saml", {"metadata_xml": wrapped, "idp_entity_id": "https://idp.other.example"})
    )

    assert [(finding.code, finding.field) for finding in undecided.findings] == [
        ("multiple_idps", "idp_entity_id")
    ]
    assert undecided.findings[0].found.splitlines() == [
        "https://idp.acme.example/saml/metadata",
        "https://idp.other.example",
    ]
    assert decided.verdict is Verdict.ACCEPT
    assert decided.settings is not None
    assert decided.settings.idp_entity_id == "https://idp.other.example"


def test_of_several_ways_the_preferred_one_counts() -> None:
    answers = {"metadata_xml": METADATA, "metadata_url": "https://idp.acme.example/elsewhere"}

    inspection = Suite().inspect(Sample("generic-saml", answers))

    assert inspection.verdict is Verdict.ACCEPT
    assert inspection.settings is not None
    assert inspection.settings.metadata_url == ""


def test_an_upload_is_kept_as_the_text_it_holds() -> None:
    inspection = Suite().inspect(Sample("generic-saml", {"metadata_file": METADATA.encode("utf-16")}))

    assert inspection.verdict is Verdict.ACCEPT
    assert inspection.answers == {"metadata_file": METADATA.strip()}


def test_who_has_begun_one_way_is_told_what_that_lacks() -> None:
    inspection = Suite().inspect(Sample("generic-saml", {"sso_url": "https://idp.acme.example/sso"}))

    assert [(finding.code, finding.field) for finding in inspection.findings] == [
        ("answer_missing", "idp_entity_id"),
        ("answer_missing", "certificate"),
    ]


@pytest.mark.parametrize("field", ["metadata_xml", "certificate"])
def test_a_private_key_is_not_handed_back(field: str) -> None:
    suite = Suite()
    (connector,) = PROVIDER.connectors
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"

    judged = judge_value(suite.plugins(), connector, field, key, suite.context(ServedOnly({})))

    assert [finding.code for finding in judged.findings] == ["private_key"]
    assert "MIIE" not in repr(judged)
