"""What the commands say when something is in their way: a sentence, an exit status, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import ROOT
from tools.services import free_port

OKTA = ROOT / "tests" / "data" / "idp-samples" / "okta" / "good.xml"
INI = """[app:main]
use = egg:authio-portal
sqlalchemy.url = {database}
huey.url = sqlite:///%(here)s/var/queue.sqlite
authio.base_url = http://localhost:6543
authio.master_keys = file:%(here)s/var/master.keys
authio.migrate_on_start = true
authio.demo = true
authio.plain_http_cookies = true
"""

Command = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[[str], str]


@pytest.fixture
def authio(tmp_path: Path) -> Command:
    """Runs ``authio ARGUMENTS`` in a folder of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("authio"), *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def ini(tmp_path: Path) -> Write:
    """Writes settings over that database, with a master key beside them."""

    def write(database: str) -> str:
        (tmp_path / "var").mkdir(exist_ok=True)
        (tmp_path / "var" / "master.keys").write_text("k1:" + "A" * 43 + "=\n", encoding="utf-8")
        (tmp_path / "it.ini").write_text(INI.format(database=database), encoding="utf-8")
        return "it.ini"

    return write


def test_a_port_that_is_taken_is_named(authio: Command, ini: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = authio("serve", ini("sqlite:///%(here)s/var/authio.sqlite"), "--listen", place)
    assert done.returncode == 2
    assert f"authio: authio.listen (AUTHIO_LISTEN): {place} cannot be listened on (Address" in done.stderr


def test_a_host_that_is_none_of_ours_is_named(authio: Command, ini: Write) -> None:
    done = authio("serve", ini("sqlite:///%(here)s/var/authio.sqlite"), "--listen", "192.0.2.1:6543")
    assert done.returncode == 2
    assert "192.0.2.1:6543 cannot be listened on" in done.stderr


@pytest.mark.parametrize("command", ["migrate", "serve", "worker"])
def test_a_database_that_is_away_is_a_sentence(authio: Command, ini: Write, command: str) -> None:
    done = authio(command, ini(f"postgresql+psycopg://authio:hush@127.0.0.1:{free_port()}/authio"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].startswith("authio: The database cannot be used: connection failed")
    assert "hush" not in done.stderr


def test_a_database_without_a_schema_says_which_command_makes_one(authio: Command, ini: Write) -> None:
    done = authio("project", "list", ini("sqlite:///%(here)s/var/authio.sqlite"))
    assert done.returncode == 1
    assert "no such table" in done.stderr
    assert "`authio migrate`" in done.stderr


def test_a_folder_that_cannot_be_made_is_named(authio: Command, ini: Write) -> None:
    done = authio("serve", ini("sqlite:////proc/nowhere/authio.sqlite"))
    assert done.returncode == 2
    assert "sqlalchemy.url (AUTHIO_DATABASE_URL): the folder /proc/nowhere cannot be made" in done.stderr


@pytest.mark.parametrize(
    "content", [b"just words\n", b"[other:main]\nuse = egg:authio-portal\n", b"\xff\xfe\x00", b""]
)
def test_a_file_that_holds_no_settings_is_named(authio: Command, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "it.ini").write_bytes(content)
    done = authio("serve", "it.ini")
    assert done.returncode == 2
    assert done.stderr.startswith("authio: it.ini cannot be read as settings: ")


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "providers"])
def test_a_missing_ini_file_is_missed_by_every_command(authio: Command, command: str) -> None:
    done = authio(command, "nowhere.ini")
    assert (done.returncode, done.stderr) == (2, "authio: There is no settings file at nowhere.ini.\n")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "many"])
def test_a_port_that_is_none_is_refused(authio: Command, port: str) -> None:
    done = authio("listen", f"--port={port}")
    assert done.returncode == 2
    assert "a port is a number from 1 to 65535" in done.stderr


def test_the_providers_stand_in_columns_without_any_settings(authio: Command) -> None:
    done = authio("providers")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert len({line.index("authio-provider-") for line in lines}) == 1
    assert all("  authio-provider-" in line for line in lines)


def test_inspect_tells_certificates_by_subject_end_and_fingerprint(authio: Command) -> None:
    text = authio("inspect", "--file", str(OKTA)).stdout
    whole = json.loads(authio("inspect", "--file", str(OKTA), "--json").stdout)
    line = next(line for line in text.splitlines() if "certificates:" in line)
    assert "CN=acme-example" in line
    assert "until 2034-03-04T" in line
    assert "BEGIN CERTIFICATE" not in text
    assert whole["settings"]["certificates"][0].startswith("-----BEGIN CERTIFICATE-----")


def test_inspect_calls_what_nobody_knows_unknown(authio: Command) -> None:
    done = authio("inspect", "--file", str(ROOT / "README.md"))
    assert done.returncode == 1
    assert done.stdout.startswith("reject: no known provider")
    assert "None" not in done.stdout


def test_a_provider_that_cannot_be_loaded_is_named_with_the_line_and_the_way_out(
    authio: Command, ini: Write, tmp_path: Path
) -> None:
    found = tmp_path / "site" / "authio_provider_torn-1.0.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: authio-provider-torn\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text("[authio.providers]\ntorn = authio_torn\n")
    (tmp_path / "site" / "authio_torn.py").write_text("first = 1\nraise KeyError('oh')\n")
    place = {"PYTHONPATH": str(tmp_path / "site")}
    settings = ini("sqlite:///%(here)s/var/authio.sqlite")

    for command in ("serve", "providers"):
        done = authio(command, settings, **place)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-2:] == [
            (
                "authio: authio-provider-torn 1.0 could not be imported (KeyError: 'oh'). "
                "To start without it, set authio.plugins.blocked = authio-provider-torn"
            ),
            f"authio: That was at {tmp_path / 'site' / 'authio_torn.py'}, line 2.",
        ]
    assert (
        authio("providers", settings, **place, AUTHIO_PLUGINS_BLOCKED="authio-provider-torn").returncode == 0
    )


def test_whoever_gives_no_command_is_shown_what_there_is(authio: Command) -> None:
    done = authio()
    assert done.returncode == 2
    assert {"serve", "migrate", "inspect"} <= set(done.stderr.split())
