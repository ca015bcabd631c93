"""SEC-51 to 59: whom a response comes from, whom and when it is for, and whom it names."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from lxml import etree

from tests.support import saml_idp as idp
from tests.support.saml_idp import SAML, SAMLP, Facts, failure, signed_response
from tests.support.saml_judged import FACTS, accepted, expecting, refusal

OTHER = "https://idp.other.example/metadata"
NEAR_MISSES = ["", " ", "/", "upper", "blank in front", "blank behind", "line", "longer", "shorter", "scheme"]


def near_miss(right: str, how: str) -> str:
    """Something that a lenient comparison would take for *right*."""
    return {
        "": "",
        " ": " ",
        "/": right + "/",
        "upper": right.upper(),
        "blank in front": " " + right,
        "blank behind": right + " ",
        "line": right + "\n",
        "longer": right + "x",
        "shorter": right[:-1],
        "scheme": right.replace("https:", "http:"),
    }[how]


def setting(path: str, text: str) -> idp.Bend:
    return lambda root: setattr(root.find(path), "text", text)


def attributing(path: str, name: str, value: str | None) -> idp.Bend:
    def bend(root: etree._Element) -> None:
        element = root if path == "." else root.find(path)
        if value is None:
            element.attrib.pop(name)
        else:
            element.set(name, value)

    return bend


CONDITIONS = f".//{SAML}Conditions"
DATA = f".//{SAML}SubjectConfirmationData"
STATEMENT = f".//{SAML}AuthnStatement"

# -- issuer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*NEAR_MISSES, "other"])
@pytest.mark.parametrize("path", [f"{SAML}Issuer", f"{SAML}Assertion/{SAML}Issuer"])
def test_SEC_51_the_issuer_is_the_connection_s_to_the_letter(how: str, path: str) -> None:
    name = OTHER if how == "other" else near_miss(FACTS.idp_entity_id, how)
    refused = refusal(signed_response(before=setting(path, name)))

    assert (refused.code, refused.expected) == ("saml_issuer", FACTS.idp_entity_id)
    assert refused.found == name.replace("\n", "�")


def test_SEC_51_an_issuer_is_an_entity() -> None:
    path = f"{SAML}Assertion/{SAML}Issuer"
    entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

    assert accepted(signed_response(before=attributing(path, "Format", entity))).issuer == FACTS.idp_entity_id
    assert refusal(signed_response(before=attributing(path, "Format", idp.EMAIL))).code == "saml_issuer"


def test_SEC_51_the_response_need_not_name_its_issuer_but_the_assertion_does() -> None:
    assert accepted(signed_response(before=lambda root: root.remove(root[0]))).issuer == FACTS.idp_entity_id

    nameless = signed_response(before=lambda root: root[-1].remove(root[-1][0]), sign_what=("response",))
    assert refusal(nameless).code == "saml_structure"


# -- destination --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*NEAR_MISSES, "other"])
@pytest.mark.parametrize("what", [("response",), ("assertion",)])
def test_SEC_52_the_destination_is_our_address_to_the_letter(how: str, what: tuple[str, ...]) -> None:
    url = OTHER if how == "other" else near_miss(FACTS.acs_url, how)
    root = signed_response(before=attributing(".", "Destination", url), sign_what=what)
    refused = refusal(root)

    assert (refused.code, refused.expected) == ("saml_destination", FACTS.acs_url)


def test_SEC_52_a_signed_response_has_a_destination() -> None:
    gone = attributing(".", "Destination", None)

    refused = refusal(signed_response(before=gone))
    assert (refused.code, refused.found) == ("saml_destination", "")
    assert accepted(signed_response(before=gone, sign_what=("assertion",))).name_id == FACTS.name_id


# -- audience -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*NEAR_MISSES, "other"])
def test_SEC_53_the_audience_is_us_to_the_letter(how: str) -> None:
    name = OTHER if how == "other" else near_miss(FACTS.sp_entity_id, how)
    refused = refusal(signed_response(before=setting(f".//{SAML}Audience", name)))

    assert (refused.code, refused.expected) == ("saml_audience", FACTS.sp_entity_id)
    assert refused.found == name.replace("\n", "�")


def _restrict(root: etree._Element, *audiences: str) -> None:
    restriction = etree.SubElement(root.find(CONDITIONS), f"{SAML}AudienceRestriction")
    for audience in audiences:
        etree.SubElement(restriction, f"{SAML}Audience").text = audience


def test_SEC_53_every_restriction_has_to_name_us() -> None:
    def also(*audiences: str) -> idp.Bend:
        return lambda root: _restrict(root, *audiences)

    assert accepted(signed_response(before=also(OTHER, FACTS.sp_entity_id))).name_id == FACTS.name_id

    assert refusal(signed_response(before=also(OTHER))).code == "saml_audience"
    assert refusal(signed_response(before=also("a", "b"))).found == f"{FACTS.sp_entity_id}, a, b"


def test_SEC_53_there_is_a_restriction() -> None:
    def no_restriction(root: etree._Element) -> None:
        root.find(CONDITIONS).remove(root.find(CONDITIONS)[0])

    def no_conditions(root: etree._Element) -> None:
        root[-1].remove(root.find(CONDITIONS))

    def no_audience(root: etree._Element) -> None:
        root.find(CONDITIONS)[0].clear()

    assert refusal(signed_response(before=no_restriction)).code == "saml_audience"
    assert refusal(signed_response(before=no_conditions)).code == "saml_audience"
    assert refusal(signed_response(before=no_audience)).code == "saml_structure"


def test_SEC_53_other_conditions_that_are_known_change_nothing() -> None:
    def more(root: etree._Element) -> None:
        etree.SubElement(root.find(CONDITIONS), f"{SAML}OneTimeUse")
        etree.SubElement(root.find(CONDITIONS), f"{SAML}ProxyRestriction", Count="0")

    assert accepted(signed_response(before=more)).name_id == FACTS.name_id


# -- confirmation -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*NEAR_MISSES, "other", "missing"])
def test_SEC_54_the_recipient_is_our_address_to_the_letter(how: str) -> None:
    url = None if how == "missing" else OTHER if how == "other" else near_miss(FACTS.acs_url, how)
    refused = refusal(signed_response(before=attributing(DATA, "Recipient", url)))

    assert (refused.code, refused.expected) == ("saml_recipient", FACTS.acs_url)


@pytest.mark.parametrize("method", ["holder-of-key", "sender-vouches", "Bearer", ""])
def test_SEC_54_only_a_bearer_counts(method: str) -> None:
    path = f".//{SAML}SubjectConfirmation"
    bend = attributing(path, "Method", f"urn:oasis:names:tc:SAML:2.0:cm:{method}")

    assert refusal(signed_response(before=bend)).code == "saml_subject_confirmation"


def test_SEC_54_a_bearer_s_confirmation_is_complete() -> None:
    def no_data(root: etree._Element) -> None:
        root.find(f".//{SAML}SubjectConfirmation").clear()
        root.find(f".//{SAML}SubjectConfirmation").set("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")

    def none(root: etree._Element) -> None:
        subject = root.find(f".//{SAML}Subject")
        subject.remove(subject[1])

    for bend in (
        no_data,
        none,
        attributing(DATA, "NotOnOrAfter", None),
        attributing(DATA, "NotBefore", FACTS.at(minutes=-5)),
    ):
        assert refusal(signed_response(before=bend)).code == "saml_subject_confirmation"


def test_SEC_54_a_confirmation_runs_out() -> None:
    def until(**offset: float) -> etree._Element:
        return signed_response(before=attributing(DATA, "NotOnOrAfter", FACTS.at(**offset)))

    assert accepted(until(seconds=-179)).name_id == FACTS.name_id
    assert refusal(until(seconds=-180)).code == "saml_expired"
    assert refusal(until(seconds=-1), expecting(skew=timedelta())).code == "saml_expired"


@pytest.mark.parametrize("first", ["holder", "other recipient", "other request", "expired"])
def test_SEC_54_one_good_confirmation_is_enough(first: str) -> None:
    def before(root: etree._Element) -> None:
        good = root.find(f".//{SAML}SubjectConfirmation")
        bad = copy.deepcopy(good)
        good.addprevious(bad)
        if first == "holder":
            bad.set("Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")
        elif first == "other recipient":
            bad[0].set("Recipient", OTHER)
        elif first == "other request":
            bad[0].set("InResponseTo", "_request-2")
        else:
            bad[0].set("NotOnOrAfter", FACTS.at(hours=-1))

    assert accepted(signed_response(before=before)).name_id == FACTS.name_id


def test_SEC_54_two_half_good_confirmations_are_not_one() -> None:
    def before(root: etree._Element) -> None:
        one = root.find(f".//{SAML}SubjectConfirmation")
        other = copy.deepcopy(one)
        one.addnext(other)
        one[0].set("Recipient", OTHER)
        other[0].set("InResponseTo", "_request-2")

    assert refusal(signed_response(before=before)).code == "saml_recipient"


# -- request ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["_request-2", "", "_REQUEST-1", " _request-1", None])
@pytest.mark.parametrize("path", [".", DATA])
@pytest.mark.parametrize("what", [("response",), ("assertion",)])
def test_SEC_55_the_response_answers_our_request(value: str | None, path: str, what: tuple[str, ...]) -> None:
    root = signed_response(before=attributing(path, "InResponseTo", value), sign_what=what)
    refused = refusal(root)

    assert (refused.code, refused.found) == ("saml_in_response_to", value or "")
    assert refused.check == ("unsolicited" if value is None else "other_request")
    assert refused.expected == "_request-1"


def test_SEC_55_an_unsolicited_response_is_only_for_who_expects_one() -> None:
    unsolicited = signed_response(Facts(request_id=None))

    assert accepted(unsolicited, expecting(request_id=None)).in_response_to is None
    assert refusal(unsolicited).code == "saml_in_response_to"


@pytest.mark.parametrize("path", [".", DATA])
@pytest.mark.parametrize("value", ["_made-up", "_request-1", ""])
def test_SEC_55_an_unsolicited_response_answers_nothing(path: str, value: str) -> None:
    root = signed_response(Facts(request_id=None), before=attributing(path, "InResponseTo", value))
    refused = refusal(root, expecting(request_id=None))

    assert (refused.code, refused.found) == ("saml_in_response_to", value)


# -- time ---------------------------------------------------------------------------------------------


def _at(path: str, name: str, **offset: float) -> etree._Element:
    return signed_response(before=attributing(path, name, FACTS.at(**offset)))


def _code(root: etree._Element, **changes: object) -> str:
    return refusal(root, expecting(**changes)).code


def test_SEC_56_the_conditions_hold_for_a_time() -> None:
    assert accepted(_at(CONDITIONS, "NotBefore", seconds=180)).name_id == FACTS.name_id
    assert _code(_at(CONDITIONS, "NotBefore", seconds=181)) == "saml_not_yet_valid"
    assert accepted(_at(CONDITIONS, "NotOnOrAfter", seconds=-179)).name_id == FACTS.name_id
    assert _code(_at(CONDITIONS, "NotOnOrAfter", seconds=-180)) == "saml_expired"


def test_SEC_56_the_skew_is_a_setting() -> None:
    late = _at(CONDITIONS, "NotOnOrAfter", seconds=-200)

    assert _code(late) == "saml_expired"
    assert accepted(late, expecting(skew=timedelta(seconds=300))).name_id == FACTS.name_id
    assert _code(_at(CONDITIONS, "NotBefore", seconds=1), skew=timedelta()) == "saml_not_yet_valid"
    assert _code(_at(CONDITIONS, "NotOnOrAfter", seconds=0), skew=timedelta()) == "saml_expired"


def test_SEC_56_an_end_is_required_and_a_begin_is_not() -> None:
    gone = attributing(CONDITIONS, "NotOnOrAfter", None)
    assert refusal(signed_response(before=gone)).code == "saml_expired"

    gone = attributing(CONDITIONS, "NotBefore", None)
    assert accepted(signed_response(before=gone)).name_id == FACTS.name_id


@pytest.mark.parametrize("path", [".", f"{SAML}Assertion"])
def test_SEC_56_what_was_issued_long_ago_or_in_the_future_is_refused(path: str) -> None:
    assert accepted(_at(path, "IssueInstant", minutes=-13)).name_id == FACTS.name_id
    assert _code(_at(path, "IssueInstant", minutes=-13, seconds=-1)) == "saml_expired"
    assert accepted(_at(path, "IssueInstant", seconds=180)).name_id == FACTS.name_id
    assert _code(_at(path, "IssueInstant", seconds=181)) == "saml_not_yet_valid"


def test_SEC_56_a_session_has_not_ended_and_did_not_begin_in_the_future() -> None:
    assert accepted(_at(STATEMENT, "SessionNotOnOrAfter", hours=8)).session_not_on_or_after is not None
    assert accepted(_at(STATEMENT, "SessionNotOnOrAfter", seconds=-179)).name_id == FACTS.name_id
    assert _code(_at(STATEMENT, "SessionNotOnOrAfter", seconds=-180)) == "saml_expired"
    assert accepted(_at(STATEMENT, "AuthnInstant", days=-30)).name_id == FACTS.name_id
    assert accepted(_at(STATEMENT, "AuthnInstant", seconds=180)).name_id == FACTS.name_id
    assert _code(_at(STATEMENT, "AuthnInstant", seconds=181)) == "saml_not_yet_valid"


def test_SEC_56_a_window_longer_than_a_day_is_cut_to_one() -> None:
    judged = accepted(_at(CONDITIONS, "NotOnOrAfter", days=365))
    assert judged.not_on_or_after == FACTS.now + timedelta(hours=24, minutes=-5)
    assert judged.remember_until == judged.not_on_or_after + timedelta(seconds=180)

    assert accepted(signed_response()).not_on_or_after == FACTS.now + timedelta(minutes=5)


def test_SEC_56_a_window_that_began_more_than_a_day_ago_is_over() -> None:
    def wide(root: etree._Element) -> None:
        root.find(CONDITIONS).set("NotBefore", FACTS.at(days=-2))
        root.find(CONDITIONS).set("NotOnOrAfter", FACTS.at(days=2))

    assert refusal(signed_response(before=wide)).code == "saml_expired"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".", "IssueInstant"),
        (f"{SAML}Assertion", "IssueInstant"),
        (CONDITIONS, "NotBefore"),
        (CONDITIONS, "NotOnOrAfter"),
        (DATA, "NotOnOrAfter"),
        (STATEMENT, "AuthnInstant"),
        (STATEMENT, "SessionNotOnOrAfter"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-24",
        "2026-11-24T06:00:00",
        "2026-11-24T06:00:00+00:00",
        "2026-11-24T07:00:00+01:00",
        "2026-11-24T06:00:00z",
        "2026-11-24 06:00:00Z",
        " 2026-11-24T06:00:00Z",
        "2026-11-24T06:00:00Z ",
        "2026-11-24T06:00:00.Z",
        "2026-11-24T06:00:00,5Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T06:00:60Z",
        "2026-13-24T06:00:00Z",
        "2026-02-30T06:00:00Z",
        "20261124T060000Z",
        "2026-11-24T06:00Z",
        "-2026-11-24T06:00:00Z",
        "12026-11-24T06:00:00Z",
        "0000-11-24T06:00:00Z",
        "２０２６-11-24T06:00:00Z",
        "1795500000",
    ],
)
def test_SEC_56_times_are_utc_and_written_in_one_way(path: str, name: str, text: str) -> None:
    assert refusal(signed_response(before=attributing(path, name, text))).code == "saml_malformed"


@pytest.mark.parametrize("fraction", ["", ".1", ".123456", ".1234567", ".000000000000000001"])
def test_SEC_56_a_time_may_have_a_fraction_of_a_second(fraction: str) -> None:
    text = f"2026-11-24T06:05:00{fraction}Z"
    judged = accepted(signed_response(before=attributing(CONDITIONS, "NotOnOrAfter", text)))

    assert judged.not_on_or_after - FACTS.now >= timedelta(minutes=5)
    assert judged.not_on_or_after - FACTS.now < timedelta(minutes=5, seconds=1)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("name", ["NotBefore", "NotOnOrAfter"])
def test_SEC_56_times_at_the_ends_of_the_calendar_are_judged(text: str, name: str) -> None:
    root = signed_response(before=attributing(CONDITIONS, name, text))
    early, late = text.startswith("0"), name == "NotOnOrAfter"
    if not early and late:
        assert accepted(root).not_on_or_after < FACTS.now + timedelta(days=1)
    else:
        assert refusal(root).code == ("saml_expired" if early else "saml_not_yet_valid")


# -- status -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codes", [("Responder",), ("Responder", "AuthnFailed"), ("Requester", "RequestDenied")]
)
@pytest.mark.parametrize("signed", [False, True])
def test_SEC_58_a_plain_failure_that_answers_our_request_is_told(
    codes: tuple[str, ...], signed: bool
) -> None:
    root = failure(FACTS, *codes, message=" AADSTS50105: not assigned ")
    if signed:
        idp.sign(root)
    refused = refusal(root)

    assert (refused.code, refused.status, refused.check) == ("access_denied", 302, "")
    assert refused.found == f"{' / '.join(codes)}: AADSTS50105: not assigned"


@pytest.mark.parametrize("codes", [("Requester",), ("Requester", "RequestUnsupported")])
def test_SEC_58_a_failure_that_blames_our_request_is_told_apart(codes: tuple[str, ...]) -> None:
    refused = refusal(failure(FACTS, *codes, message="unknown service provider"))

    assert (refused.code, refused.check) == ("access_denied", "invalid_request")


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (attributing(".", "InResponseTo", "_request-2"), "saml_in_response_to"),
        (attributing(".", "InResponseTo", None), "saml_in_response_to"),
        (attributing(".", "Destination", OTHER), "saml_destination"),
        (setting(f"{SAML}Issuer", OTHER), "saml_issuer"),
    ],
)
def test_SEC_58_a_failure_that_is_not_for_us_is_not_told(bend: idp.Bend, code: str) -> None:
    root = failure(FACTS, "Responder")
    bend(root)

    assert refusal(root).code == code


def test_SEC_58_a_failure_that_is_signed_is_signed_by_the_connection() -> None:
    root = failure(FACTS, "Responder")
    idp.sign(root, idp.signer("stranger"))

    assert refusal(root).code == "saml_signature_invalid"


@pytest.mark.parametrize(
    "value",
    ["", "Success", "urn:oasis:names:tc:SAML:2.0:status:Responder", f"{idp.SUCCESS} ", idp.SUCCESS.lower()],
)
@pytest.mark.parametrize("what", [(), ("response",), ("assertion",)])
def test_SEC_58_an_assertion_under_another_status_signs_nobody_in(value: str, what: tuple[str, ...]) -> None:
    bend = attributing(f"{SAMLP}Status/{SAMLP}StatusCode", "Value", value)

    assert refusal(signed_response(before=bend, sign_what=what)).code == "saml_status"


def test_SEC_58_a_success_inside_a_failure_is_a_failure() -> None:
    def nested(root: etree._Element) -> None:
        code = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
        etree.SubElement(code, f"{SAMLP}StatusCode", Value=idp.SUCCESS)
        code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")

    assert refusal(signed_response(before=nested)).code == "saml_status"


@pytest.mark.parametrize("count", [0, 2])
def test_SEC_58_there_is_one_authentication(count: int) -> None:
    def before(root: etree._Element) -> None:
        statement = root.find(STATEMENT)
        if count:
            statement.addnext(copy.deepcopy(statement))
        else:
            root[-1].remove(statement)

    refused = refusal(signed_response(before=before))
    assert (refused.code, refused.found) == ("saml_status", str(count))


def test_the_authentication_is_told() -> None:
    judged = accepted(signed_response())

    assert judged.session_index == "_session-1"
    assert judged.authn_context.endswith("PasswordProtectedTransport")
    assert judged.authn_instant == FACTS.now - timedelta(seconds=2)

    def undescribed(root: etree._Element) -> None:
        root.find(f".//{SAML}AuthnContext").clear()

    assert accepted(signed_response(before=undescribed)).authn_context == ""


# -- subject ------------------------------------------------------------------------------------------

NAME_ID = f".//{SAML}NameID"


@pytest.mark.parametrize(
    "name", ["", " ", " ann", "ann ", "ann\n", "a\tb", "a\x85b", "a\u200bb", "a\u202eb", "a" * 257, "\xa0ann"]
)
def test_SEC_59_a_name_id_names_somebody(name: str) -> None:
    assert refusal(signed_response(before=setting(NAME_ID, name))).code == "saml_subject"


@pytest.mark.parametrize(
    "name", ["a", "a" * 256, "Ann Archer", "ann@acme.example", "ünï-çødé", "<&>\"'", "CN=a,O=b"]
)
def test_SEC_59_a_name_id_is_returned_whole(name: str) -> None:
    assert accepted(signed_response(before=setting(NAME_ID, name))).name_id == name


@pytest.mark.parametrize("count", [0, 2])
def test_SEC_59_there_is_one_subject(count: int) -> None:
    def before(root: etree._Element) -> None:
        name_id = root.find(NAME_ID)
        if count:
            name_id.addnext(copy.deepcopy(name_id))
        else:
            name_id.getparent().remove(name_id)

    assert refusal(signed_response(before=before)).code == "saml_subject"


def test_SEC_59_an_assertion_without_a_subject_names_nobody() -> None:
    def before(root: etree._Element) -> None:
        root[-1].remove(root.find(f".//{SAML}Subject"))

    assert refusal(signed_response(before=before)).code == "saml_subject_confirmation"


def test_SEC_59_attributes_of_one_name_are_merged_in_order() -> None:
    def before(root: etree._Element) -> None:
        statement = root.find(f".//{SAML}AttributeStatement")
        for attribute in idp.attribute_statement({"groups": ["Third", "Staff"], "other": ["x"]}):
            statement.append(attribute)
        root[-1].append(idp.attribute_statement({"groups": ["Fifth"]}))

    judged = accepted(signed_response(before=before))
    assert judged.attributes["groups"] == ("Staff", "Engineering", "Third", "Staff", "Fifth")
    assert list(judged.attributes)[-2:] == ["groups", "other"]


def test_an_attribute_s_value_may_be_nil_empty_or_a_name_id() -> None:
    def before(root: etree._Element) -> None:
        statement = root.find(f".//{SAML}AttributeStatement")
        attribute = etree.SubElement(statement, f"{SAML}Attribute", Name="mixed")
        nil = etree.SubElement(attribute, f"{SAML}AttributeValue")
        nil.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
        etree.SubElement(attribute, f"{SAML}AttributeValue")
        inside = etree.SubElement(attribute, f"{SAML}AttributeValue")
        etree.SubElement(inside, f"{SAML}NameID", NameQualifier=FACTS.idp_entity_id).text = "opaque"

    assert accepted(signed_response(before=before)).attributes["mixed"] == ("", "opaque")


def test_an_assertion_without_attributes_is_accepted() -> None:
    assert accepted(signed_response(Facts(attributes={}))).attributes == {}

    def emptied(root: etree._Element) -> None:
        root.find(f".//{SAML}AttributeStatement").clear()

    assert accepted(signed_response(before=emptied)).attributes == {}
