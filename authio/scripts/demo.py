"""First start on a laptop: a master key, a demo project and organization, and what to try next."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from authio import crypto
from authio.app import Runtime
from authio.errors import StartupError
from authio.models import DomainState
from authio.services.setup_links import Wanted
from authio.wire.setup_link import setup_address


def prepare(ini: Mapping[str, str]) -> None:
    """Make what the settings point at and a first start does not have: folders, and the master key file."""
    if ini.get("authio.demo", "").strip().lower() not in {"true", "yes", "on", "1"}:
        return
    for key in ("sqlalchemy.url", "huey.url"):
        kind, _, path = os.environ.get(_ENVIRONMENT[key], ini.get(key, "")).partition(":///")
        if kind == "sqlite":
            _make_folder(key, Path(path).parent)
    keys = os.environ.get("AUTHIO_MASTER_KEYS", ini.get("authio.master_keys", ""))
    if keys.startswith("file:") and not Path(keys[5:]).exists():
        _write_private(Path(keys[5:]), crypto.new_master_keys() + "\n")


def _make_folder(key: str, folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StartupError(
            [f"{key} ({_ENVIRONMENT[key]}): the folder {folder} cannot be made ({problem.strerror})."]
        ) from None


_ENVIRONMENT = {"sqlalchemy.url": "AUTHIO_DATABASE_URL", "huey.url": "AUTHIO_QUEUE_URL"}


def greet(runtime: Runtime) -> None:
    """Print where the demo project's key lies, a fresh setup link, and what to try next."""
    path = _demo_path(runtime)
    demo = _remembered(path, runtime) or _make(path, runtime)
    with runtime.begin() as services:
        organization = services.organizations.hold(demo["project_id"], demo["organization_id"])
        _, token = services.setup_links.mint(
            organization, Wanted(intents=["sso"], lifetime=timedelta(days=1))
        )
    base = runtime.settings.base_url
    print(
        _GREETING.format(base=base, path=path, link=setup_address(base, token), **demo),
        file=sys.stdout,
        flush=True,
    )


_GREETING = """
  authio is running at {base}

  Open this setup link as an IT admin would:
    {link}

  You are the vendor. Your API key and ids are in {path}
    export AUTHIO_API_KEY=$(python3 -c 'import json; print(json.load(open("{path}"))["api_key"])')
    curl -s {base}/connections -H "Authorization: Bearer $AUTHIO_API_KEY"
    curl -s {base}/v1/sso/admin-portal/tokens -H "Authorization: Bearer $AUTHIO_API_KEY" \\
         -H 'Content-Type: application/json' -d '{{"organization_id": "{organization_id}"}}'

  Watch the webhooks arrive, in another terminal:
    .venv/bin/authio listen
"""


_SAMPLE_PRODUCT = "http://localhost:6547/callback"


def _demo_path(runtime: Runtime) -> Path:
    url = runtime.settings.database_url
    folder = Path(url.partition(":///")[2]).parent if url.startswith("sqlite") else Path("var")
    path = folder / "demo.json"
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _remembered(path: Path, runtime: Runtime) -> dict[str, Any] | None:
    """The demo made on an earlier start, if the database still has it."""
    if not path.exists():
        return None
    demo = json.loads(path.read_text(encoding="utf-8"))
    with runtime.begin(write=False) as services:
        known = {project.id for project in services.projects.all()}
    return demo if demo.get("project_id") in known else None


def _make(path: Path, runtime: Runtime) -> dict[str, Any]:
    with runtime.begin() as services:
        project = services.projects.create("Demo")
        _, key = services.projects.add_key(project.id, name="demo")
        organization = services.organizations.create(
            project.id, name="Acme Corporation", domains=[("acme.example", DomainState.VERIFIED)]
        )
        # Where the sample product of examples/ listens.
        services.redirect_uris.add(project.id, _SAMPLE_PRODUCT, is_default=True)
    demo = {
        "base_url": runtime.settings.base_url,
        "project_id": project.id,
        "client_id": project.client_id,
        "organization_id": organization.id,
        "api_key": key,
    }
    _write_private(path, json.dumps(demo, indent=2) + "\n")
    return demo


def _write_private(path: Path, text: str) -> None:
    """Write *text* so that only this user can ever read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
