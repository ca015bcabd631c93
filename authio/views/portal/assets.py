"""Pictures that providers bring along, and the version of our own static files."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import NotFound

_TYPES = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}


def static_version() -> str:
    """A name for the state our static files are in; as long as it stays the same, browsers keep them."""
    folder = files("authio") / "static"
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()[:12]


@view_config(route_name="portal.asset", request_method="GET")
def show_asset(request: Any) -> Response:
    """A picture out of a provider's package; anything else in there is not for browsers."""
    provider = request.registry.runtime.parts.plugins.provider(request.matchdict["provider"])
    path = request.matchdict["path"]
    content_type = _TYPES.get(path.rpartition(".")[2])
    if provider is None or content_type is None:
        raise NotFound("not_found")
    try:
        body = provider.asset(path)
    except KeyError:
        raise NotFound("not_found") from None
    response = Response(body, content_type=content_type, cache_control="public, max-age=3600")
    # Opened by itself, a drawing is a document: it may run nothing and load nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
