"""What a portal form posts, judged before anything believes it: size, origin, form token, repeats."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authio.crypto import same
from authio.errors import FieldError, Forbidden, TooLarge, Unprocessable
from authio.views.portal.cookies import visitor
from authio.views.portal.form_bodies import read_fields

LARGEST_FORM = 4 * 1024 * 1024
TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field, not a secret
_LINE_ENDS = frozenset("\t\r\n")


@dataclass(frozen=True)
class Posted:
    """A form as it was sent. ``flawed`` names the fields that hold control characters.

    ``project_id`` and ``link_id`` come from the form token: they say whose page the form was on.
    """

    project_id: str
    link_id: str
    fields: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    flawed: frozenset[str] = frozenset()

    def expect(self, link: Any) -> None:
        """Forbidden (``csrf_failed``) unless the form was on a page of *link*."""
        if (link.project_id, link.id) != (self.project_id, self.link_id):
            raise Forbidden("csrf_failed")

    def text(self, name: str, *, longest: int = 200) -> str:
        """One short value, outer blanks removed; Unprocessable (``validation_failed``) if malformed."""
        value = self.fields.get(name, "").strip()
        if name in self.flawed or len(value) > longest:
            raise _refused(name, "This value was refused.")
        return value


def form_token(request: Any, link: Any) -> str:
    """What a form on a page of *link* carries, worth something only together with this browser's cookie."""
    payload = f"{link.project_id}.{link.id}"
    return f"{payload}.{_mac(request, payload)}"


def read_form(request: Any) -> Posted:
    """The posted form.

    TooLarge above 4 MiB, Forbidden (``csrf_failed``) unless it comes from a page this browser got from us,
    BadRequest if it cannot be parsed, Unprocessable (``validation_failed``) if a field is repeated.
    """
    if request.content_length is None or request.content_length > LARGEST_FORM:
        raise TooLarge("request_too_large")
    _expect_same_origin(request)
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    body = request.body_file.read(LARGEST_FORM + 1)
    if len(body) > LARGEST_FORM:
        raise TooLarge("request_too_large")
    for name, value in read_fields(request.environ.get("CONTENT_TYPE", ""), body):
        if name in fields or name in files:
            raise _refused(name[:100], "This field was sent twice.")
        if isinstance(value, str):
            fields[name] = value
        else:
            files[name] = value
    project_id, link_id = _opened(request, fields.pop(TOKEN_FIELD, ""))
    flawed = frozenset(name for name, value in fields.items() if not _is_plain(value))
    return Posted(project_id, link_id, fields, files, flawed)


def _expect_same_origin(request: Any) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    ours = {request.registry.runtime.settings.base_url, request.host_url}
    # A page with `Referrer-Policy: no-referrer` posts `Origin: null`: Sec-Fetch-Site has to vouch for it.
    if site not in {None, "same-origin", "none"} or (origin is not None and origin not in ours | {"null"}):
        raise Forbidden("csrf_failed")
    if origin == "null" and site != "same-origin":
        raise Forbidden("csrf_failed")


def _opened(request: Any, token: str) -> tuple[str, str]:
    payload, _, mac = token.rpartition(".")
    project_id, dot, link_id = payload.partition(".")
    if not dot or not same(mac, _mac(request, payload)):
        raise Forbidden("csrf_failed")
    return project_id, link_id


def _mac(request: Any, payload: str) -> str:
    key = request.registry.runtime.parts.vault.derive("portal form tokens")
    message = f"{visitor(request)}\0{payload}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).decode().rstrip("=")


def _is_plain(text: str) -> bool:
    """Whether *text* is free of control characters, line ends and tabs aside."""
    return all(character >= " " and character != "\x7f" or character in _LINE_ENDS for character in text)


def _refused(name: str, message: str) -> Unprocessable:
    return Unprocessable("validation_failed", errors=[FieldError(name, "invalid", message)])
