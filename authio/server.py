"""The HTTP server: waitress with our limits, JSON for what it refuses, and a stop that finishes work."""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from types import FrameType
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from authio.errors import StartupError
from authio.ids import new_id

log = logging.getLogger(__name__)

# Above the largest body any route takes, so that the application itself answers a body over its limit,
# with a page that leads back; what is larger still is not even read.
_LARGEST_BODY = 8 * 1024 * 1024
_FINISH_SECONDS = 30.0
_GRACE_SECONDS = 0.3
_CODES = {400: "bad_request", 413: "request_too_large", 431: "request_too_large", 500: "internal_error"}


class _RefusedByServer(ErrorTask):
    """What waitress refuses before the application sees it, in the one shape that every client can read."""

    def execute(self) -> None:
        error = self.request.error
        request_id = new_id("request")
        body = json.dumps(
            {
                "message": "The request could not be understood."
                if error.code < 500
                else "Something went wrong.",
                "code": _CODES.get(error.code, "bad_request"),
                "request_id": request_id,
            }
        ).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Request-ID", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    """Refuses what a proxy before us may have read in another way than we would."""

    def parse_header(self, header_plus: bytes) -> None:
        """As waitress does it. ParsingError, which is answered with 400, for whatever is ambiguous."""
        try:
            super().parse_header(header_plus)
        except TransferEncodingNotImplemented:
            raise ParsingError("a transfer encoding that is not known") from None
        except ValueError:
            # A length of thousands of digits, or an address that is none.
            raise ParsingError("a number or an address that is none") from None
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("two ways to tell where the body ends")
        if "," in self.headers.get("HOST", ""):
            raise ParsingError("two hosts")


class _Channel(HTTPChannel):
    parser_class = _Parser
    error_task_class = _RefusedByServer


class _Listener(TcpWSGIServer):
    channel_class = _Channel


class Server:
    """One listening socket and the threads that answer on it. StartupError where nobody may listen."""

    def __init__(self, application: Any, *, listen: str, threads: int, trusted_proxy: str = "") -> None:
        proxy = (
            {
                "trusted_proxy": trusted_proxy,
                "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
                "trusted_proxy_count": 1,
            }
            if trusted_proxy
            else {}
        )
        try:
            self._listener = _Listener(
                application,
                listen=listen,
                threads=threads,
                ident=None,
                max_request_body_size=_LARGEST_BODY,
                max_request_header_size=64 * 1024,
                # Whoever says nothing for so long makes room for somebody else.
                channel_timeout=20,
                cleanup_interval=5,
                connection_limit=500,
                expose_tracebacks=False,
                clear_untrusted_proxy_headers=True,
                **proxy,
            )
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or problem
            raise StartupError(
                [f"authio.listen (AUTHIO_LISTEN): {listen} cannot be listened on ({reason})."]
            ) from None
        self._listen = listen
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, also where the setting said 0."""
        return int(self._listener.effective_port)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then finish what is under way, for 30 s at most."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        log.info("listening at http://%s", self._listen)
        self._serve_while(lambda: not self._stopping.is_set())
        log.info("asked to stop; finishing what is under way")
        # Whoever has connected already, but was not let in yet, is not turned away.
        grace = time.monotonic() + _GRACE_SECONDS
        self._serve_while(lambda: time.monotonic() < grace)
        self._listener.accepting = False
        self._listener.socket.close()
        self._listener.del_channel()
        deadline = time.monotonic() + _FINISH_SECONDS
        self._serve_while(lambda: self._busy() and time.monotonic() < deadline)
        self._listener.task_dispatcher.shutdown(cancel_pending=True, timeout=1)

    def _serve_while(self, wanted: Any) -> None:
        while wanted():
            self._listener.asyncore.loop(timeout=0.1, map=self._listener._map, use_poll=True, count=1)

    def _busy(self) -> bool:
        return any(
            channel.requests or channel.request is not None or channel.total_outbufs_len
            for channel in list(self._listener.active_channels.values())
        )

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()
        self._listener.pull_trigger()


def server_factory(global_config: dict[str, str], **ini: str) -> Any:
    """``use = egg:authio-portal`` in ``[server:main]``: this server under ``pserve``."""

    def serve(application: Any) -> None:
        settings = application.registry.runtime.settings
        Server(
            application,
            listen=settings.listen,
            threads=settings.threads,
            trusted_proxy=settings.trusted_proxy,
        ).run()

    return serve
