"""What is special about the provider that takes any SAML: nothing is foreign to it."""

from pathlib import Path

from authio_generic_saml import PROVIDER

from authio.plugin.inspection import Verdict
from authio.plugin.testing import ProviderContract, Sample

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
