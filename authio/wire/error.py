"""The JSON error body, the same on every path."""

from __future__ import annotations

from typing import Any

from authio.errors import AuthioError


def error_out(error: AuthioError, request_id: str) -> dict[str, Any]:
    """``message``, ``code``, ``request_id``, and ``errors`` where several things, or one field, are wrong."""
    body: dict[str, Any] = {"message": error.message, "code": error.code, "request_id": request_id}
    if error.errors:
        body["errors"] = [
            {"field": one.field, "code": one.code, "message": one.message} for one in error.errors
        ]
    return body
