"""The floor: our own server with an application that does nothing. ``… floor PORT THREADS`` runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from authio.server import Server

_BODY = b'{"object": "nothing"}'


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the body, answer 21 bytes."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))])
    return [_BODY]


if __name__ == "__main__":
    Server(nothing, listen=f"127.0.0.1:{sys.argv[1]}", threads=int(sys.argv[2])).run()
