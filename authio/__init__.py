"""authio: a self-hosted Admin Portal for enterprise single sign-on and directory sync."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def main(global_config: dict[str, str], **ini: str) -> Any:
    """The WSGI application of ``[app:main]``, its log on standard error.

    Ends the process (SystemExit) with everything that is wrong with *ini*, or if the schema is too old.
    """
    # Imported here, so that `authio.webhooks` stays importable on its own, without the server.
    import os

    from authio import logs, migrations
    from authio.app import Runtime
    from authio.errors import StartupError
    from authio.settings import Settings

    try:
        settings = Settings.load(ini, os.environ)
        logs.configure(settings.log_level)
        runtime = Runtime(settings)
        migrations.require(runtime.database.engine)
        return runtime.wsgi()
    except StartupError as error:
        # Whoever runs pserve is to read sentences, not the loader's traceback.
        raise SystemExit("\n".join(f"authio: {problem}" for problem in error.problems)) from None
