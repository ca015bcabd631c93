"""Everything that can be answered with an error, by its stable code.

::

    AuthioError
    ├── BadRequest (400)          cannot be parsed, or a step out of place
    ├── Unauthorized (401)        no credential, or a bad one
    ├── Forbidden (403)           the credential is good, the act is not allowed
    ├── NotFound (404)            does not exist, or belongs to somebody else: the two look the same
    ├── MethodNotAllowed (405)
    ├── Conflict (409)
    ├── Gone (410)                a link that was good once
    ├── TooLarge (413)
    ├── UnsupportedMediaType (415)
    ├── Unprocessable (422)       understood, but a value is refused
    ├── TooManyRequests (429)
    ├── Internal (500)            a mistake of ours; the log knows which
    └── Unavailable (503)         a backend that is needed is down; nothing was done by halves

    StartupError                  the process must not start; tells everything that is wrong at once

One class per status, one row per code in :data:`CODES`: the code is the contract, the class only says
how it is answered. Messages are fixed text and never hold the offending value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Code:
    """A row of the error table: the HTTP status, and one sentence for the caller."""

    status: int
    message: str


CODES: Mapping[str, Code] = {
    "bad_request": Code(400, "The request could not be understood."),
    "invalid_json": Code(400, "The body is not a JSON object."),
    "domain_already_verified": Code(400, "This domain is verified already."),
    "external_id_already_used": Code(400, "Another organization already has this external_id."),
    "invalid_metadata": Code(400, "metadata takes at most 50 keys of 40 characters with text values of 600."),
    "client_unknown": Code(400, "No product is known by this client_id."),
    "redirect_uri_mismatch": Code(400, "This redirect_uri is not registered."),
    "relay_state_invalid": Code(400, "The RelayState is not the one that was sent."),
    "state_too_long": Code(400, "state may have at most 1024 bytes."),
    "missing_api_key": Code(401, "Send your API key as 'Authorization: Bearer sk_...'."),
    "invalid_api_key": Code(401, "This API key is unknown or has been revoked."),
    "csrf_failed": Code(
        403, "This form did not come from the page it belongs to. Reload the page and try again."
    ),
    "portal_session_missing": Code(
        403, "Open the link you were sent again to continue; your work has been kept."
    ),
    "portal_session_ended": Code(403, "This visit has ended. Open the link you were sent again to continue."),
    "not_found": Code(404, "There is nothing at this address."),
    "project_not_found": Code(404, "There is no such project."),
    "organization_not_found": Code(404, "There is no such organization in this project."),
    "organization_domain_not_found": Code(404, "There is no such domain in this project."),
    "connection_not_found": Code(404, "There is no such connection in this project."),
    "redirect_uri_not_found": Code(404, "There is no such redirect URI in this project."),
    "sign_in_attempt_not_found": Code(404, "There is no such sign-in attempt in this project."),
    "webhook_endpoint_not_found": Code(404, "There is no such webhook endpoint in this project."),
    "event_not_found": Code(404, "There is no such event in this project."),
    "api_key_not_found": Code(404, "There is no such API key in this project."),
    "token_not_found": Code(404, "There is no such link in this project."),
    "token_unknown": Code(
        404, "This link is not known. Check that it was copied whole, or ask for a new one."
    ),
    "provider_not_found": Code(404, "This identity provider is not installed here."),
    "method_not_allowed": Code(405, "This address does not take that method."),
    "domain_already_exists": Code(409, "This domain already exists in the organization."),
    "duplicate_redirect_uri": Code(409, "This redirect URI is registered already."),
    "duplicate_endpoint": Code(409, "There is a webhook endpoint with this endpoint_url already."),
    "idempotency_error": Code(409, "This Idempotency-Key was used before with another request."),
    "idempotency_in_progress": Code(
        409, "A request with this Idempotency-Key is still under way. Try again shortly."
    ),
    "draft_changed": Code(409, "This set-up was changed in another window. Check it again before you save."),
    "draft_exists": Code(409, "Another set-up has been begun here. Finish it, or discard it first."),
    "nothing_to_return_to": Code(409, "There are no earlier settings to return to."),
    "nothing_to_save": Code(409, "There is nothing to save yet. Bring back your provider's details first."),
    "token_consumed": Code(410, "This link has been used. The set-up it was made for is complete."),
    "token_expired": Code(410, "This link has expired. Ask for a new one."),
    "token_revoked": Code(410, "This link was withdrawn. Ask for a new one."),
    "token_replaced": Code(410, "A newer link has replaced this one. Use the newest link you were sent."),
    "request_too_large": Code(413, "The request is larger than this address takes."),
    "unsupported_media_type": Code(415, "Send the body as application/json."),
    "validation_failed": Code(422, "One or more values were refused."),
    "ttl_out_of_range": Code(
        422, "ttl_seconds must be a whole number from 300 (5 minutes) to 2592000 (30 days)."
    ),
    "intent_not_available": Code(
        422, "This intent is not available. Links take sso; session links take certificate_renewal as well."
    ),
    "url_forbidden": Code(422, "This address cannot be used. Give an absolute https address."),
    "invalid_url": Code(422, "endpoint_url must be an absolute https address that can be reached publicly."),
    "invalid_request_parameters": Code(422, "One or more parameters were refused."),
    "provider_unavailable": Code(422, "The identity provider chosen for this set-up is no longer installed."),
    "findings": Code(422, "The details brought back cannot be used yet."),
    "rate_limit_exceeded": Code(429, "Too many requests. Wait before you try again."),
    "internal_error": Code(500, "Something went wrong on our side. The request id tells us what."),
    "db_unavailable": Code(503, "The database cannot be reached. Nothing was changed. Try again shortly."),
}
"""Every code this service answers with. Printed into ``docs/api.md``; a code is never renamed."""


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong with one field of a request."""

    field: str
    code: str
    message: str


class AuthioError(Exception):
    """An error with a stable ``code``; the status and the sentence are in :data:`CODES`."""

    status: ClassVar[int]

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        row = CODES[code]
        if row.status != self.status:
            raise TypeError(f"{code} is answered with {row.status}, not by {type(self).__name__}")
        super().__init__(code)
        self.code = code
        self.message = row.message
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class BadRequest(AuthioError):
    status = 400


class Unauthorized(AuthioError):
    status = 401


class Forbidden(AuthioError):
    status = 403


class NotFound(AuthioError):
    status = 404


class MethodNotAllowed(AuthioError):
    status = 405


class Conflict(AuthioError):
    status = 409


class Gone(AuthioError):
    status = 410


class TooLarge(AuthioError):
    status = 413


class UnsupportedMediaType(AuthioError):
    status = 415


class Unprocessable(AuthioError):
    status = 422


class TooManyRequests(AuthioError):
    status = 429


class Internal(AuthioError):
    status = 500


class Unavailable(AuthioError):
    status = 503


class StartupError(Exception):
    """The process must not start. ``problems`` holds every reason, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))
