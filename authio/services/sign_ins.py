"""Sign-ins: begun, answered once, ended, each in one transaction with everything that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authio.models import AttemptKind
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.refusals import SamlRefused, SignInRefused
from authio.services.admissions import Admissions
from authio.services.attempts import Attempts, Outcome, Waiting
from authio.services.audit import Audit
from authio.services.connections import Connections
from authio.services.events import Events
from authio.services.grants import Granted, Grants
from authio.services.leaving import Identified, Leaving, Wanted
from authio.services.renewals import Renewals
from authio.services.targets import Target
from authio.wire.connection import connection_event_out
from authio.wire.sign_in import sign_in_event_out

_BY_AN_UNKNOWN_KEY = "saml_signature_invalid"
_UNPROVEN = frozenset(
    {
        "saml_malformed",
        "request_too_large",
        "saml_xml_forbidden",
        "saml_structure",
        "saml_signature_missing",
        "saml_signature_invalid",
        "saml_algorithm_forbidden",
        "saml_decrypt",
        "access_denied",
    }
)
"""Refusals of what no key of the identity provider need have signed: anybody can bring any amount of it."""
MOST_UNPROVEN = 16 * 1024
"""Bytes that are kept of such an answer."""
_CUT = b"\n[cut off here]"


@dataclass(frozen=True)
class Ending:
    """What came of an answer: a code for the product, or a refusal. A test never has a code."""

    attempt_id: str
    is_test: bool = False
    redirect_uri: str = ""
    state: str | None = None
    code: str = field(default="", repr=False)
    refused: SignInRefused | None = None


class SignIns:
    """A success is a code, a profile, events and an audit row together, or nothing at all."""

    def __init__(
        self,
        attempts: Attempts,
        admissions: Admissions,
        grants: Grants,
        connections: Connections,
        renewals: Renewals,
        events: Events,
        audit: Audit,
    ) -> None:
        self._attempts, self._admissions, self._grants = attempts, admissions, grants
        self._connections, self._renewals = connections, renewals
        self._events, self._audit = events, audit

    def start(
        self,
        target: Target,
        wanted: Wanted,
        leaving: Leaving,
        *,
        browser: str,
        portal_session_id: str | None = None,
    ) -> str:
        """Remember an attempt that leaves now; its id. With a portal session it is a test."""
        row = self._attempts.add(
            target, wanted, leaving, browser=browser, portal_session_id=portal_session_id
        )
        if row.kind == AttemptKind.LIVE.value:
            self._record("authentication.sso_started", row)
        return str(row.id)

    def succeed(self, target: Target, waiting: Waiting, identified: Identified) -> Ending:
        """Let the person in, once; or say what keeps them out all the same."""
        try:
            self._admissions.use(target, identified)
            if not self._attempts.is_open(waiting):
                raise closed(target)
            profile = self._admissions.admit(target, identified)
        except SignInRefused as refused:
            return self.fail(target, waiting, refused, answer=identified.answer)
        outcome = Outcome(facts=identified.facts, answer=identified.answer, profile=profile)
        row = self._attempts.end(waiting, outcome)
        if row is None:
            return Ending(waiting.row.id, refused=closed(target))
        return self._let_in(target, row, profile, nonce=waiting.secrets.get("product_nonce"))

    def fail(
        self, target: Target, waiting: Waiting, refused: SignInRefused, *, answer: bytes = b""
    ) -> Ending:
        """Write down that the answer signs nobody in. An attempt that had ended before stays as it is."""
        if refused.code == _BY_AN_UNKNOWN_KEY:
            # The provider may sign with a new key: its metadata is read again, and the next try works.
            self._renewals.hurry(target.row)
        outcome = Outcome(facts=_facts(refused), answer=_kept(answer, refused), refused=refused)
        row = self._attempts.end(waiting, outcome)
        return Ending(waiting.row.id, refused=refused) if row is None else self._shut_out(row, refused)

    def succeed_unasked(self, target: Target, wanted: Wanted, identified: Identified) -> Ending:
        """As :meth:`succeed`, for a sign-in that began at the identity provider."""
        try:
            self._admissions.use(target, identified)
            profile = self._admissions.admit(target, identified)
        except SignInRefused as refused:
            return self.fail_unasked(target, wanted, refused, answer=identified.answer)
        outcome = Outcome(facts=identified.facts, answer=identified.answer, profile=profile)
        return self._let_in(target, self._attempts.add_ended(target, wanted, outcome), profile, nonce=None)

    def fail_unasked(
        self, target: Target, wanted: Wanted, refused: SignInRefused, *, answer: bytes = b""
    ) -> Ending:
        """As :meth:`fail`, for a sign-in that began at the identity provider."""
        outcome = Outcome(facts=_facts(refused), answer=_kept(answer, refused), refused=refused)
        row = self._attempts.add_ended(target, wanted, outcome)
        # Anybody can post nonsense to a public address: it is written down, but products do not hear of it.
        self._audited("sign_in.failed", row, {"code": refused.code})
        return Ending(row.id, refused=refused)

    def time_out(self, most: int) -> int:
        """End up to *most* attempts from which nobody came back, with their events; how many were overdue."""
        overdue, ended = self._attempts.time_out(most)
        for row in ended:
            if row.kind == AttemptKind.LIVE.value:
                self._record("authentication.sso_timed_out", row)
        return overdue

    def _let_in(self, target: Target, row: Any, profile: Mapping[str, Any], *, nonce: str | None) -> Ending:
        is_test, code = row.kind == AttemptKind.TEST.value, ""
        happened: list[tuple[str, Mapping[str, Any]]] = []
        activated = self._connections.activate(target.row)
        if activated is not None:
            domains = self._connections.domains(activated)
            happened.append(("connection.activated", connection_event_out(activated, domains)))
        if not is_test:
            data = sign_in_event_out(row, profile_id=profile["id"])
            happened.append(("authentication.sso_succeeded", data))
            code = self._grants.issue(
                Granted(row.id, profile, nonce),
                project_id=row.project_id,
                connection_id=row.connection_id,
                redirect_uri=row.redirect_uri,
                code_challenge=row.code_challenge,
            )
        self._events.record_all(happened, project_id=row.project_id, organization_id=row.organization_id)
        self._audited("sign_in.succeeded", row, {"profile_id": profile["id"]})
        return Ending(row.id, is_test, row.redirect_uri or "", row.app_state, code)

    def _shut_out(self, row: Any, refused: SignInRefused) -> Ending:
        is_test = row.kind == AttemptKind.TEST.value
        if not is_test:
            self._record("authentication.sso_failed", row)
        self._audited("sign_in.failed", row, {"code": refused.code})
        return Ending(row.id, is_test, row.redirect_uri or "", row.app_state, refused=refused)

    def _record(self, event_type: str, row: Any) -> None:
        self._events.record(
            event_type, sign_in_event_out(row), project_id=row.project_id, organization_id=row.organization_id
        )

    def _audited(self, action: str, row: Any, after: Mapping[str, Any]) -> None:
        self._audit.record(
            action,
            project_id=row.project_id,
            organization_id=row.organization_id,
            target=("connection", row.connection_id),
            after={"sign_in_attempt_id": row.id, "kind": row.kind, **after},
        )


def closed(target: Target) -> SignInRefused:
    """The refusal of an answer for which no attempt is open (any more)."""
    if target.row.protocol == "saml":
        return SamlRefused("saml_in_response_to", because="the request has been answered, or has lapsed")
    return OidcRefused("oidc_state_invalid", "state", field="state")


def _kept(answer: bytes, refused: SignInRefused) -> bytes:
    """What is kept of an answer that signs nobody in."""
    if refused.code not in _UNPROVEN or len(answer) <= MOST_UNPROVEN:
        return answer
    return answer[:MOST_UNPROVEN] + _CUT


def _facts(refused: SignInRefused) -> dict[str, Any]:
    """What the last step of a refused attempt tells, for the diagnosis."""
    facts = {"code": refused.code, "because": refused.because}
    if isinstance(refused, OidcRefused):
        facts |= {"check": refused.check, "field": refused.field}
    elif isinstance(refused, SamlRefused) and refused.check:
        facts |= {"check": refused.check}
    return facts
