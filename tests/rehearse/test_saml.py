"""Sign-ins at the SAML provider: what it does right is taken, and each mistake is refused by its code."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
import requests

from authio.plugin import SAML_ATTRIBUTES
from authio.protocols.refusals import REFUSALS, SignInRefused
from authio.protocols.saml_profile import profile_from_saml
from authio.protocols.saml_request import Form, Redirect, begin
from authio.rehearse.rehearsal import Rehearsal
from authio.rehearse.switches import SAML, every_mistake
from tests.rehearse.conftest import Page, ServiceProvider, Visitor, decoded

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
AT_THE_JUDGE = [
    one
    for one in every_mistake(SAML)
    if one.mistake not in {"unassigned-user", "refused-request", "replay", "cbc-encryption"}
]


def ask(visitor: Visitor, sp: ServiceProvider, **options: object) -> Page:
    """The sign-in page, as somebody reaches it whom the service provider has sent."""
    asked = sp.request(**options)
    if isinstance(asked, Redirect):
        return visitor.get(asked.url)
    return visitor.post(asked.action, asked.fields, Origin="http://localhost:6543")


def test_its_metadata_is_taken_as_any_provider_s_is(rehearsal: Rehearsal, sp: ServiceProvider) -> None:
    settings = sp.settings
    assert settings.idp_entity_id == rehearsal.saml.entity_id
    assert settings.sso_redirect_url == settings.sso_post_url == rehearsal.saml.sso_url
    assert settings.certificates == (rehearsal.saml.credentials.saml[0].pem,)
    assert not settings.want_authn_requests_signed


@pytest.mark.parametrize("by_post", [False, True])
def test_somebody_is_signed_in(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, by_post: bool
) -> None:
    back = visitor.sign_in(ask(visitor, sp, by_post=by_post))
    assert (back.name, back.action("response")) == ("post", sp.acs_url)
    assert back.fields("response")["RelayState"] == "handle"
    profile = profile_from_saml(sp.judge(back), SAML_ATTRIBUTES)
    assert (profile.email, profile.first_name, profile.last_name) == (
        "ada@acme.example",
        "Ada",
        "Lovelace",
    )
    assert profile.groups == ("Engineering", "Everyone")
    assert profile.id != profile.email


def test_anybody_else_can_be_typed_in_or_chosen(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    typed = {"email": "zoë@acme.example", "first_name": "Zoë", "last_name": "<b>", "groups": " a , ,b"}
    profile = profile_from_saml(sp.judge(visitor.sign_in(ask(visitor, sp), **typed)), SAML_ATTRIBUTES)
    assert (profile.email, profile.last_name, profile.groups) == ("zoë@acme.example", "<b>", ("a", "b"))
    chosen = sp.judge(visitor.sign_in(ask(visitor, sp), person="grace"))
    assert chosen.name_id == "grace@acme.example"


def test_a_hint_fills_the_address_in(rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor) -> None:
    page = ask(visitor, sp, hints={"login_hint": "new@acme.example"})
    assert page.fields("login")["email"] == "new@acme.example"


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("encrypt", ["no", "yes", "cbc"])
def test_what_can_be_signed_and_sealed_in_several_ways_is_taken(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, sign: str, encrypt: str
) -> None:
    rehearsal.saml.switches.change({"sign": sign, "encrypt": encrypt})
    back = visitor.sign_in(ask(visitor, sp))
    judged = sp.judge(back, decryption_keys=(sp.signer.key,), allow_cbc=encrypt == "cbc")
    assert judged.was_encrypted == (encrypt != "no")
    assert set(judged.signed) == {"assertion", "response"} if sign == "both" else {sign}


@pytest.mark.parametrize("mistake", AT_THE_JUDGE, ids=lambda one: one.mistake)
def test_each_mistake_is_refused_by_the_code_it_promises(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, mistake
) -> None:
    rehearsal.make(mistake.mistake)
    back = visitor.sign_in(ask(visitor, sp))
    with pytest.raises(SignInRefused) as refused:
        profile_from_saml(sp.judge(back, decryption_keys=(sp.signer.key,)), SAML_ATTRIBUTES)
    assert refused.value.code in mistake.refused
    rehearsal.saml.switches.reset()
    assert sp.judge(visitor.sign_in(ask(visitor, sp))).name_id == "ada@acme.example"


def test_cbc_is_refused_where_it_is_not_allowed(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    rehearsal.make("cbc-encryption")
    with pytest.raises(SignInRefused) as refused:
        sp.judge(visitor.sign_in(ask(visitor, sp)), decryption_keys=(sp.signer.key,))
    assert refused.value.code == "saml_algorithm_forbidden"


def test_the_last_response_can_be_sent_once_more(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    first = visitor.sign_in(ask(visitor, sp))
    rehearsal.make("replay")
    again = visitor.sign_in(ask(visitor, sp))
    assert again.fields("response") == first.fields("response")


@pytest.mark.parametrize(
    ("user", "codes"),
    [("unassigned", ["Responder", "RequestDenied"]), ("misunderstood", ["Requester", "RequestUnsupported"])],
)
def test_whoever_may_not_sign_in_is_sent_back_with_a_status(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, user: str, codes: list[str]
) -> None:
    rehearsal.saml.switches.change({"user": user})
    message = decoded(visitor.sign_in(ask(visitor, sp)))
    assert [one.get("Value").removeprefix(STATUS) for one in message.iter("{*}StatusCode")] == codes
    assert message.find("{*}Assertion") is None


def test_cancelling_sends_back_a_status_too(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    message = decoded(visitor.sign_in(ask(visitor, sp), cancel="yes"))
    assert message.find(".//{*}StatusCode/{*}StatusCode").get("Value") == f"{STATUS}AuthnFailed"


def test_one_sign_in_can_go_wrong_alone(rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor) -> None:
    back = visitor.sign_in(ask(visitor, sp), **{"switch-audience": "wrong"})
    with pytest.raises(SignInRefused, match="saml_audience"):
        sp.judge(back)
    assert rehearsal.saml.switches.read()["audience"] == "right"
    sp.judge(visitor.sign_in(ask(visitor, sp)))


def test_the_address_of_a_sign_in_can_carry_switches(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    page = ask(visitor, sp, hints={"switch-audience": "wrong"})
    form = {"sign_in": page.fields("login")["sign_in"]}
    with pytest.raises(SignInRefused, match="saml_audience"):
        sp.judge(visitor.post(f"{rehearsal.saml.url}/login", form))


def test_a_metadata_address_can_carry_switches(rehearsal: Rehearsal, visitor: Visitor) -> None:
    address = f"{rehearsal.saml.entity_id}?switch-bindings=post&switch-requests=signed"
    document = requests.get(address, timeout=10).text
    assert 'WantAuthnRequestsSigned="true"' in document
    assert "HTTP-Redirect" not in document


# -- requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_post", [False, True])
def test_a_signed_request_is_verified_by_the_key_in_the_metadata(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, by_post: bool
) -> None:
    rehearsal.saml.switches.change({"requests": "signed"})
    sp.judge(visitor.sign_in(ask(visitor, sp, signed=True, by_post=by_post)))
    noted = requests.get(f"{rehearsal.saml.url}/sign-ins", timeout=10).json()[0]["details"]
    assert noted["request signature"] == "verified"
    assert noted["binding"] == ("HTTP-POST" if by_post else "HTTP-Redirect")


@pytest.mark.parametrize("by_post", [False, True])
def test_an_unsigned_request_is_refused_where_they_have_to_be_signed(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor, by_post: bool
) -> None:
    rehearsal.saml.switches.change({"requests": "signed"})
    page = ask(visitor, sp, by_post=by_post)
    assert (page.status, page.name) == (403, "notice")


def test_a_request_that_was_changed_after_signing_is_refused(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    redirect = sp.request(signed=True)
    assert isinstance(redirect, Redirect)
    assert visitor.get(redirect.url.replace("RelayState=handle", "RelayState=other")).status == 403
    stripped = redirect.url.replace("rsa-sha256", "rsa-sha1")
    assert stripped != redirect.url
    assert visitor.get(stripped).status == 403
    form = sp.request(signed=True, by_post=True)
    assert isinstance(form, Form)
    bent = b64decode(form.fields["SAMLRequest"]).replace(b'Version="2.0"', b'Version="2.1"')
    assert visitor.post(form.action, {"SAMLRequest": b64encode(bent).decode()}).status == 403


def test_a_request_for_an_acs_that_the_metadata_does_not_list_is_refused(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    asked = begin(
        sp.settings,
        request_id="_1",
        acs_url="http://localhost:1/acs",
        sp_entity_id=sp.entity_id,
        now=datetime.now(UTC),
    )
    assert isinstance(asked, Redirect)
    page = visitor.get(asked.url)
    assert page.status == 403
    assert "ACS URL" in page.says


@pytest.mark.parametrize("text", ["", "x", "PHg+", "H4sI", "%00", "A" * 100_000])
def test_what_is_no_request_gets_a_page_that_says_so(
    rehearsal: Rehearsal, visitor: Visitor, text: str
) -> None:
    for page in (
        visitor.get(f"{rehearsal.saml.sso_url}?SAMLRequest={text[:8000]}"),
        visitor.post(rehearsal.saml.sso_url, {"SAMLRequest": text}),
    ):
        assert (page.status, page.name) == (400, "notice")


def test_a_request_with_a_document_type_is_refused(rehearsal: Rehearsal, visitor: Visitor) -> None:
    document = (
        b'<!DOCTYPE x [<!ENTITY e "e">]><p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" '
        b'xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1"><a:Issuer>&e;</a:Issuer></p:AuthnRequest>'
    )
    page = visitor.post(rehearsal.saml.sso_url, {"SAMLRequest": b64encode(document).decode()})
    assert page.status == 400
    assert "not a sign-in request" in page.says


def test_a_passive_request_is_answered_without_a_page(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    form = sp.request(by_post=True)
    assert isinstance(form, Form)
    passive = b64decode(form.fields["SAMLRequest"]).replace(
        b'Version="2.0"', b'Version="2.0" IsPassive="true"'
    )
    message = decoded(visitor.post(form.action, {"SAMLRequest": b64encode(passive).decode()}))
    assert message.find(".//{*}StatusCode/{*}StatusCode").get("Value") == f"{STATUS}NoPassive"


# -- begun here ----------------------------------------------------------------------------------------


def test_a_sign_in_can_begin_here(rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor) -> None:
    started = visitor.get(f"{rehearsal.saml.url}/start?acs={sp.acs_url}&RelayState=there")
    back = visitor.sign_in(started)
    assert back.fields("response")["RelayState"] == "there"
    assert sp.judge(back, request_id=None).in_response_to is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?acs=http://localhost:1/acs",
        "?acs=javascript:alert(1)&sp=urn:x",
        "?acs=http://[",
        "?acs=http:///x&sp=urn:x",
    ],
)
def test_no_sign_in_begins_for_somebody_unknown(rehearsal: Rehearsal, visitor: Visitor, query: str) -> None:
    assert visitor.get(f"{rehearsal.saml.url}/start{query}").status == 400


def test_a_sign_in_is_over_once_it_is_answered(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    page = ask(visitor, sp)
    visitor.sign_in(page)
    assert visitor.sign_in(page).status == 410


# -- keys ----------------------------------------------------------------------------------------------


def test_with_an_overlap_the_key_before_stays_in_the_metadata(
    rehearsal: Rehearsal, sp: ServiceProvider, visitor: Visitor
) -> None:
    before = sp.settings.certificates
    requests.post(f"{rehearsal.saml.url}/rotate", json={"overlap": True, "days": 5}, timeout=10)
    after = sp.settings.certificates
    assert after[1:] == before
    assert sp.judge(visitor.sign_in(ask(visitor, sp)))
    requests.post(f"{rehearsal.saml.url}/rotate", json={"overlap": False}, timeout=10)
    assert len(sp.settings.certificates) == 1
    assert not set(sp.settings.certificates) & set(after)


def test_every_promised_code_is_one_that_the_product_knows() -> None:
    assert {code for one in every_mistake(SAML) for code in one.refused} <= REFUSALS.keys()
