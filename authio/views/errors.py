"""How errors are answered: one exception view per face, one dialect each."""

from __future__ import annotations

import json
import logging

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException
from pyramid.request import Request
from pyramid.response import Response
from pyramid_retry import is_error_retryable

from authio.db import unavailable
from authio.errors import CODES, AuthioError, BadRequest, Internal, NotFound
from authio.views.portal.errors import error_page, is_portal
from authio.views.sso.pages import is_sign_in, sign_in_error
from authio.wire.error import error_out

logger = logging.getLogger(__name__)

_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    415: "unsupported_media_type",
}


def includeme(config: Configurator) -> None:
    """Answer every exception, and addresses that do not exist."""
    config.add_exception_view(_answer, context=Exception)
    config.add_notfound_view(_not_found)
    config.add_forbidden_view(_answer)


def _answer(error: Exception, request: Request) -> Response:
    return answer_to(request, error)


def _not_found(request: Request) -> Response:
    return answer_to(request, NotFound("not_found"))


def answer_to(request: Request, error: BaseException) -> Response:
    """The answer to *error* in the dialect of the face it happened on. What is unexpected is logged, once."""
    if isinstance(error, HTTPException) and error.status_int < 400:
        return error
    known = _known(request, error)
    response = _page(request, known) if _wants_page(request) else _json(request, known)
    response.headers.update(known.headers)
    return response


def _page(request: Request, error: AuthioError) -> Response:
    try:
        return sign_in_error(request, error) if is_sign_in(request) else error_page(request, error)
    except Exception as failure:  # noqa: BLE001 - an error about an error still needs an answer
        return _json(request, _known(request, failure))


def _known(request: Request, error: BaseException) -> AuthioError:
    if isinstance(error, AuthioError):
        return error
    away = unavailable(error)
    if away is not None:
        if not is_error_retryable(request, error):
            logger.error("%s: the database cannot be used (%s).", request.id, type(error).__name__)
        return away
    if isinstance(error, UnicodeDecodeError):
        # Bytes in a path, a query or a form that are not UTF-8.
        return BadRequest("bad_request")
    if isinstance(error, HTTPException) and error.status_int in _BY_STATUS:
        return _with_code(_BY_STATUS[error.status_int])
    logger.error("%s: unexpected.", request.id, exc_info=error)
    return Internal("internal_error")


def _with_code(code: str) -> AuthioError:
    kinds = {kind.status: kind for kind in AuthioError.__subclasses__()}
    return kinds[CODES[code].status](code)


def _wants_page(request: Request) -> bool:
    """Portal pages decide for themselves; an address that is no API answers as the client prefers."""
    try:
        if is_portal(request) or is_sign_in(request):
            return True
    except UnicodeDecodeError:
        return False
    route = getattr(request, "matched_route", None)
    if route is not None and route.name.startswith("api."):
        return False
    offers = request.accept.acceptable_offers(["application/json", "text/html"])
    return bool(offers) and offers[0][0] == "text/html"


def _json(request: Request, error: AuthioError) -> Response:
    body = json.dumps(error_out(error, request.id), ensure_ascii=False, separators=(",", ":"))
    return Response(body.encode(), status=error.status, content_type="application/json", charset=None)
