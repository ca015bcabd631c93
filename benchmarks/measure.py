"""The measurements: speed and signing in beside a floor (and a peer), many rows against none, and where."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import bulk, sign_ins
from benchmarks.connections import connect
from benchmarks.driver import Batch, Driver
from benchmarks.figures import ratios, summary, whole_per_second
from benchmarks.inprocess import where
from benchmarks.metadata import IdentityProvider
from benchmarks.phases import Walk, peer_round
from benchmarks.servers import Authio, Floor, OpenIdProvider, Peer, Process, postgresql_database, running
from benchmarks.verification import verification
from tests.support.databases import redis_database
from tools.services import free_port

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STARTS = 3
_FLOOR_REQUESTS = 2000
_WAYS = 10
"""Connections that people sign in over, for each scenario."""


class Bench:
    """One run: where its files lie, which databases it has, and how much it does of everything."""

    def __init__(
        self, folder: Path, *, postgresql: str | None, redis: str | None, rounds: int, size: int
    ) -> None:
        self._folder, self._rounds, self._size = folder, rounds, size
        self._postgresql, self._redis = postgresql, redis
        self._identity_provider = IdentityProvider()

    @property
    def kinds(self) -> list[str]:
        """The databases that there are, SQLite first."""
        return [kind for kind in DATABASES if kind == "sqlite" or self._postgresql]

    def speed(self, *, with_peer: bool) -> dict[str, Any]:
        """Every phase on each database, beside the floor and perhaps the peer; memory and start of each."""
        with ExitStack() as held:
            floor = Floor(self._folder)
            ours = {kind: held.enter_context(self._authio(kind, "speed")) for kind in self.kinds}
            peers = (
                {kind: held.enter_context(self._peer(kind, "speed")) for kind in self.kinds}
                if with_peer
                else {}
            )
            starts = {kind: self._start_seconds(server) for kind, server in ours.items()}
            held.enter_context(running(floor, *ours.values(), *peers.values()))
            players: dict[str, Callable[[], Mapping[str, Batch]]] = {"floor": self._floor_round(floor)}
            for kind in self.kinds:
                players[kind] = self._walk(ours[kind])
                if with_peer:
                    players[f"peer-{kind}"] = self._peer_round(peers[kind])
            rounds = self._interleaved(players)
            return {
                "floor": summary(rounds["floor"])["nothing"],
                "databases": {
                    kind: {
                        "phases": summary(rounds[kind]),
                        "memory_mb": round(ours[kind].resident_mb()),
                        "start_seconds": starts[kind],
                    }
                    for kind in self.kinds
                },
                "peer": {
                    kind: {
                        "phases": summary(rounds[f"peer-{kind}"]),
                        "ratios": ratios(rounds[kind], rounds[f"peer-{kind}"]),
                        "memory_mb": round(peers[kind].resident_mb()),
                    }
                    for kind in peers
                },
            }

    def size(self, rows: int) -> dict[str, Any]:
        """The same requests over empty tables and over tables with *rows* links, events and deliveries."""
        found = {}
        for kind in self.kinds:
            with self._authio(kind, "empty") as empty, self._authio(kind, "full") as full:
                print(f"loading {rows:,} links, events and deliveries into {DATABASES[kind]}", flush=True)
                bulk.load(full.database, project_id=full.project_id, rows=rows)
                with running(empty, full):
                    rounds = self._interleaved({"none": self._reads(empty), "full": self._reads(full)})
            found[kind] = {
                "none": summary(rounds["none"]),
                "full": summary(rounds["full"]),
                "ratios": ratios(rounds["full"], rounds["none"]),
            }
        return {"rows": rows, "databases": found}

    def sign_in(self, *, with_peer: bool) -> dict[str, Any]:
        """Every scenario on each database, beside the floor and perhaps the peer; then one verification."""
        with ExitStack() as held:
            floor, port = Floor(self._folder), free_port()
            authority = f"127.0.0.1:{port}"
            ours = {
                kind: held.enter_context(self._authio(kind, "sign-in", reaches=authority))
                for kind in self.kinds
            }
            ways = {kind: self._ways(server, f"http://{authority}") for kind, server in ours.items()}
            redirect_uris = [way.acs_url for made in ways.values() for way in made["oidc"]]
            provider = OpenIdProvider(self._folder, port=port, redirect_uris=redirect_uris)
            peer = held.enter_context(self._peer("sqlite", "sign-in")) if with_peer else None
            others = [peer] if peer else []
            held.enter_context(running(floor, provider, *ours.values(), *others))
            players: dict[str, Callable[[], Mapping[str, Batch]]] = {"floor": self._floor_round(floor)}
            for kind, server in ours.items():
                for name, players_ways in ways[kind].items():
                    players[f"{kind} {name}"] = self._sign_ins(server, name, players_ways, provider)
            if peer:
                players["peer"] = self._peer_sign_ins(peer)
            rounds = self._interleaved(players)
            found: dict[str, Any] = {
                "floor": summary(rounds["floor"])["nothing"],
                "databases": {
                    kind: {
                        "scenarios": {
                            name: self._of_scenario(rounds[f"{kind} {name}"]) for name in ways[kind]
                        },
                        "memory_mb": round(server.resident_mb()),
                    }
                    for kind, server in ours.items()
                },
            }
            if peer:
                beside = rounds[f"sqlite {sign_ins.BESIDE_THE_PEER}"]
                found["peer"] = {
                    **self._of_scenario(rounds["peer"]),
                    "ratios": ratios(beside, rounds["peer"]),
                    "memory_mb": round(peer.resident_mb()),
                }
        return found | {"verification_ms": verification()}

    def where(self) -> dict[str, Any]:
        """Microseconds and shares of a mint and a save, in process, on SQLite."""
        with self._authio("sqlite", "where") as server:
            return where(server.settings(), api_key=server.api_key, size=self._size)

    def _interleaved(
        self, players: Mapping[str, Callable[[], Mapping[str, Batch]]]
    ) -> dict[str, list[Mapping[str, Batch]]]:
        """Rounds of all players in turn, so that a slow minute is everybody's. The first one warms up."""
        rounds: dict[str, list[Mapping[str, Batch]]] = {name: [] for name in players}
        for number in range(self._rounds + 1):
            for name, play in players.items():
                batches = play()
                if number:
                    rounds[name].append(batches)
            print(f"  round {number} of {self._rounds}" if number else "  warmed up", flush=True)
        return rounds

    def _walk(self, server: Authio) -> Callable[[], Mapping[str, Batch]]:
        driver = Driver(server.port)
        return lambda: Walk(
            driver, api_key=server.api_key, identity_provider=self._identity_provider, size=self._size
        ).all()

    def _reads(self, server: Authio) -> Callable[[], Mapping[str, Batch]]:
        driver = Driver(server.port)
        bearer = {"Authorization": f"Bearer {server.api_key}"}
        pages = {
            "list links": "/v1/sso/admin-portal/tokens?limit=10",
            "list events": "/events?" + urlencode({"events": "admin_portal.link_created", "limit": "10"}),
            "list organizations": "/organizations?limit=10",
        }

        def play() -> Mapping[str, Batch]:
            walk = Walk(
                driver, api_key=server.api_key, identity_provider=self._identity_provider, size=self._size
            )
            timed = dict(walk.all())
            for name, path in pages.items():
                timed[name] = driver.run([driver.request("GET", path, headers=bearer)] * self._size)
            return {name: timed[name] for name in ("mint", "entry", "save", "read", *pages)}

        return play

    def _floor_round(self, floor: Floor) -> Callable[[], Mapping[str, Batch]]:
        driver = Driver(floor.port)
        return lambda: {"nothing": driver.run([driver.request("GET", "/")] * _FLOOR_REQUESTS)}

    def _peer_round(self, peer: Peer) -> Callable[[], Mapping[str, Batch]]:
        driver = Driver(peer.port)
        return lambda: peer_round(
            driver, api_key=peer.api_key, identity_provider=self._identity_provider, size=self._size
        )

    @staticmethod
    def _of_scenario(rounds: Sequence[Mapping[str, Batch]]) -> dict[str, Any]:
        return {"phases": summary(rounds), "sign_ins_per_second": whole_per_second(rounds)}

    def _ways(self, server: Authio, issuer: str) -> dict[str, list[sign_ins.Way]]:
        return connect(
            server.settings(),
            project_id=server.project_id,
            identity_provider=self._identity_provider,
            issuer=issuer,
            count=_WAYS,
        )

    def _sign_ins(
        self, server: Authio, name: str, ways: Sequence[sign_ins.Way], provider: OpenIdProvider
    ) -> Callable[[], Mapping[str, Batch]]:
        driver, scenario = Driver(server.port), sign_ins.SCENARIOS[name]
        broker = sign_ins.AuthioBroker(driver, client_id=server.client_id, api_key=server.api_key)
        answering = (
            sign_ins.saml_answers(scenario, self._identity_provider)
            if scenario.protocol == "saml"
            else sign_ins.oidc_answers(Driver(provider.port))
        )
        return lambda: sign_ins.play(driver, broker, ways, answering, size=self._size)

    def _peer_sign_ins(self, peer: Peer) -> Callable[[], Mapping[str, Batch]]:
        driver = Driver(peer.port)
        broker = sign_ins.PeerBroker(driver, secret=peer.api_key)
        scenario = sign_ins.SCENARIOS[sign_ins.BESIDE_THE_PEER]
        answering = sign_ins.saml_answers(scenario, self._identity_provider)
        ways = sign_ins.peer_ways(
            driver,
            base_url=f"http://127.0.0.1:{peer.port}",
            api_key=peer.api_key,
            identity_provider=self._identity_provider,
            count=_WAYS,
        )
        return lambda: sign_ins.play(driver, broker, ways, answering, size=self._size)

    @staticmethod
    def _start_seconds(server: Process) -> float:
        seconds = []
        for _ in range(_STARTS):
            seconds.append(server.start())
            server.stop()
        return round(statistics.median(seconds), 2)

    @contextmanager
    def _authio(self, kind: str, purpose: str, *, reaches: str = "") -> Iterator[Authio]:
        folder = self._folder / f"{kind}-{purpose}"
        with self._database(kind, folder / "authio.sqlite") as database, self._queue(kind, folder) as queue:
            yield Authio(f"{kind}-{purpose}", folder, database=database, queue=queue, reaches=reaches)

    @contextmanager
    def _peer(self, kind: str, purpose: str) -> Iterator[Peer]:
        with self._database(kind, self._folder / f"peer-{purpose}.sqlite") as database:
            yield Peer(self._folder, database=database)

    @contextmanager
    def _database(self, kind: str, file: Path) -> Iterator[str]:
        if kind == "sqlite":
            yield f"sqlite:///{file}"
        else:
            with postgresql_database(self._postgresql or "") as url:
                yield url

    @contextmanager
    def _queue(self, kind: str, folder: Path) -> Iterator[str]:
        """The queue that goes with the database: Redis in production, if there is one; else a file."""
        if kind == "postgresql" and self._redis:
            with redis_database(self._redis) as url:
                yield url
        else:
            yield f"sqlite:///{folder / 'queue.sqlite'}"


def pin_driver(core: int) -> None:
    """Keep this process, which drives, away from the core of the servers."""
    os.sched_setaffinity(0, {core})
