"""Documents and values as identity providers write them, each with its verdict, through inspection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from authio.plugin import Context, OidcSettings, SamlSettings, ServiceProvider, loader
from authio.plugin.inspection import Inspection, Verdict, inspect, inspect_document, judge_value, verdict_of
from authio.plugin.loader import Plugins
from authio.plugin.report import report
from authio.plugin.testing import ServedOnly

SAMPLES = Path(__file__).parents[1] / "data" / "idp-samples"
INDEX: Mapping[str, Any] = json.loads((SAMPLES / "index.json").read_text("utf-8"))
AS_OF = datetime.fromisoformat(INDEX["as_of"])
PICKED = {"okta", "entra", "google", "generic"}
ENTRIES = [entry for entry in INDEX["entries"] if entry["picked"] in PICKED]
INPUTS = [entry for entry in INDEX["inputs"] if entry["picked"] in PICKED]


@cache
def plugins() -> Plugins:
    return loader.load()


def context() -> Context:
    own = INDEX["context"]
    sp = ServiceProvider(own["sp_entity_id"], own["acs_url"], own["sp_entity_id"], "", "")
    return Context(now=AS_OF, fetch=ServedOnly({}), sp=sp)


def judged(entry: Mapping[str, Any], document: bytes) -> Inspection:
    connector = plugins().find(entry["picked"], protocol=entry["protocol"])
    assert connector is not None
    assert connector.protocol == entry["protocol"]
    return inspect_document(
        plugins(), connector, document, context(), entered=entry.get("entered_issuer", "")
    )


def is_right(entry: Mapping[str, Any], verdict: str, codes: set[str]) -> bool:
    """The verdict of the index with no code but its reasons, or an outcome it also takes."""
    if verdict == entry["verdict"]:
        expected = codes <= set(entry["reasons"]) and bool(codes) >= (verdict != "accept")
        if expected:
            return True
    for outcome in entry.get("also_ok", []):
        also, _, reason = outcome.partition(":")
        if verdict == also and (not reason or reason in codes):
            return codes - {reason} <= set(entry["reasons"]) | _also(entry)
    return False


def _also(entry: Mapping[str, Any]) -> set[str]:
    return {outcome.partition(":")[2] for outcome in entry.get("also_ok", [])}


def test_every_file_of_the_index_is_here() -> None:
    listed = {entry["file"] for entry in INDEX["entries"]}
    present = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()} - {
        "index.json"
    }

    assert listed == present
    assert len(ENTRIES) == 137
    assert len(INPUTS) == 41


@pytest.mark.parametrize(
    "entry", ENTRIES, ids=[f"{e['picked']}-{e['protocol']}-{e['file']}" for e in ENTRIES]
)
def test_a_document_gets_its_verdict(entry: Mapping[str, Any]) -> None:
    document = (SAMPLES / entry["file"]).read_bytes()

    inspection = judged(entry, document)

    codes = {finding.code for finding in inspection.findings}
    assert is_right(entry, str(inspection.verdict), codes), (str(inspection.verdict), codes, entry)


@pytest.mark.parametrize(
    "entry", ENTRIES, ids=[f"{e['picked']}-{e['protocol']}-{e['file']}" for e in ENTRIES]
)
def test_the_command_line_says_the_same(entry: Mapping[str, Any]) -> None:
    document = (SAMPLES / entry["file"]).read_bytes()
    inspection = judged(entry, document)

    told = report(
        plugins(),
        context(),
        provider=entry["picked"],
        protocol=entry["protocol"],
        file=document,
        values={"issuer": entry["entered_issuer"]} if "entered_issuer" in entry else {},
    )

    assert told == inspection.to_json()
    json.dumps(told)


FACTS = [entry for entry in ENTRIES if entry.get("facts")]


@pytest.mark.parametrize("entry", FACTS, ids=[f"{e['picked']}-{e['protocol']}-{e['file']}" for e in FACTS])
def test_the_facts_are_read_from_it(entry: Mapping[str, Any]) -> None:
    document = (SAMPLES / entry["file"]).read_bytes()

    settings = judged(entry, document).settings

    facts = entry["facts"]
    if entry["protocol"] == "oidc":
        assert isinstance(settings, OidcSettings)
        assert {key: getattr(settings, key) for key in facts} == facts
        return
    assert isinstance(settings, SamlSettings)
    certificates = settings.read_certificates()
    assert settings.idp_entity_id == facts["entity_id"]
    assert (settings.sso_redirect_url or None) == facts["sso_redirect"]
    assert (settings.sso_post_url or None) == facts["sso_post"]
    assert settings.want_authn_requests_signed == facts["want_authn_requests_signed"]
    assert [certificate.sha256 for certificate in certificates] == facts["signing_cert_sha256"]
    ends = [datetime.fromisoformat(text) for text in facts["signing_cert_not_after"]]
    assert [certificate.not_after for certificate in certificates] == ends


SAML = [entry for entry in ENTRIES if entry["protocol"] == "saml"]


@pytest.mark.parametrize("entry", SAML, ids=[f"{e['picked']}-{e['file']}" for e in SAML])
def test_an_uploaded_file_gets_the_verdict_of_its_document(entry: Mapping[str, Any]) -> None:
    document = (SAMPLES / entry["file"]).read_bytes()
    connector = plugins().find(entry["picked"], protocol="saml")
    assert connector is not None

    inspection = inspect(plugins(), connector, {"metadata_file": document}, context())

    alone = judged(entry, document)
    if document.strip():
        assert inspection.verdict is alone.verdict
        assert {f.code for f in inspection.findings} == {f.code for f in alone.findings}
        assert inspection.settings == alone.settings
    else:
        # To a form an empty file is no answer at all.
        assert inspection.verdict is Verdict.REJECT


@pytest.mark.parametrize(
    "entry", INPUTS, ids=[f"{e['picked']}-{e['field']}-{e['value'][:60]!r}" for e in INPUTS]
)
def test_a_value_gets_its_verdict(entry: Mapping[str, Any]) -> None:
    connector = plugins().find(entry["picked"], field=entry["field"])
    assert connector is not None

    judgement = judge_value(plugins(), connector, entry["field"], entry["value"], context())

    verdict, codes = str(verdict_of(judgement.findings)), {finding.code for finding in judgement.findings}
    assert is_right(entry, verdict, codes), (verdict, codes)
    assert {finding.field for finding in judgement.findings} <= {entry["field"]}
    if verdict == "accept" and "normalised" in entry:
        assert judgement.value == entry["normalised"]
