"""Where the time of one request goes: the application called without a server, under cProfile."""

from __future__ import annotations

import cProfile
import io
import pstats
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from authio.app import Runtime
from authio.settings import Settings
from benchmarks.driver import Answer, Batch, Request, check, encode
from benchmarks.metadata import IdentityProvider
from benchmarks.phases import Walk

_HOST = "127.0.0.1"


class InProcess:
    """Calls a WSGI application as the driver calls a server, one request after the other.

    ``cpu_seconds`` is what the batches so far have cost, without the waiting for the disk.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.cpu_seconds = 0.0
        self.profile: cProfile.Profile | None = None
        """Watches every call while it is set."""

    def request(self, method: str, path: str, *, status: int = 200, **what: Any) -> Request:
        """As the driver's."""
        return encode(_HOST, method, path, status=status, **what)

    def run(self, requests: Iterable[Request]) -> Batch:
        """As the driver's."""
        prepared = [(one, environ_of(one)) for one in requests]
        began, cpu_began = time.perf_counter(), time.process_time()
        answers = []
        for one, environ in prepared:
            answers.append(self._call(environ))
            check(one, answers[-1])
        seconds = time.perf_counter() - began
        self.cpu_seconds += time.process_time() - cpu_began
        return Batch(answers, seconds)

    def _call(self, environ: dict[str, Any]) -> Answer:
        seen: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            seen.update(status=int(status[:3]), headers=headers)

        began = time.perf_counter()
        if self.profile is not None:
            self.profile.enable()
        parts = self._application(environ, start_response)
        body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        if self.profile is not None:
            self.profile.disable()
        seconds = time.perf_counter() - began
        head = "".join(f"\r\n{name}: {value}" for name, value in seen["headers"]).encode("latin-1")
        return Answer(seen["status"], head, body, seconds)


def environ_of(request: Request) -> dict[str, Any]:
    """The WSGI environment of an encoded request."""
    head, _, body = request.data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _HOST,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ


class WatchedWalk(Walk):
    """A walk that notes the CPU time of each phase, and has *profile* watch one *phase*."""

    def __init__(
        self,
        sender: InProcess,
        *,
        phase: str | None = None,
        profile: cProfile.Profile | None = None,
        **what: Any,
    ) -> None:
        super().__init__(sender, **what)
        self._inside, self._phase, self._profile = sender, phase, profile
        self.cpu_seconds: dict[str, float] = {}

    def _timed(self, phase: str | None, wanted: Any) -> Any:
        before = self._inside.cpu_seconds
        self._inside.profile = self._profile if phase == self._phase else None
        try:
            return super()._timed(phase, wanted)
        finally:
            self._inside.profile = None
            if phase is not None:
                self.cpu_seconds[phase] = self._inside.cpu_seconds - before


def where(settings: Settings, *, api_key: str, size: int) -> dict[str, Any]:
    """Microseconds of each phase in process, and the share of each part of it, for a mint and a save."""
    runtime = Runtime(settings)
    sender = InProcess(runtime.wsgi())
    what: dict[str, Any] = {"api_key": api_key, "identity_provider": IdentityProvider(), "size": size}
    WatchedWalk(sender, **what).all()
    walk = WatchedWalk(sender, **what)
    found: dict[str, Any] = {
        "microseconds": {
            phase: {
                "wall": round(1e6 * batch.seconds / len(batch.answers)),
                "cpu": round(1e6 * walk.cpu_seconds[phase] / len(batch.answers)),
            }
            for phase, batch in walk.all().items()
        }
    }
    for phase in ("mint", "save"):
        profile = cProfile.Profile()
        WatchedWalk(sender, phase=phase, profile=profile, **what).all()
        found[phase] = shares(profile)
    runtime.close()
    return found


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """The share of the time that each part (a package, built-in calls) spent itself."""
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[_part(file, name)] += own
    whole = sum(spent.values())
    return {part: round(100 * seconds / whole, 1) for part, seconds in spent.most_common(12)}


def _part(file: str, name: str) -> str:
    if file == "~":
        for word in ("sqlite3", "psycopg", "cryptography"):
            if word in name:
                return f"{word} (built in)"
        return "Python's built-ins"
    _, _, below = file.partition("site-packages/")
    if below:
        return below.split("/")[0].removesuffix(".py")
    for ours in ("authio/services", "authio/views", "authio/plugin", "authio/protocols", "authio/wire"):
        if f"/{ours}/" in file:
            return ours
    return "authio, the rest" if "/authio" in file else "Python's library"
