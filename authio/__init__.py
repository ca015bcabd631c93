"""authio: a self-hosted Admin Portal for enterprise single sign-on and directory sync."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def main(global_config: dict[str, str], **ini: str) -> Any:
    """The WSGI application of ``[app:main]``, its log on standard error.

    StartupError lists everything that is wrong with *ini*, or says that the schema is too old.
    """
    # Imported here, so that `authio.webhooks` stays importable on its own, without the server.
    import os

    from authio import logs, migrations
    from authio.app import Runtime
    from authio.settings import Settings

    settings = Settings.load(ini, os.environ)
    logs.configure(settings.log_level)
    runtime = Runtime(settings)
    migrations.require(runtime.database.engine)
    return runtime.wsgi()
