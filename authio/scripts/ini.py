"""Settings from an ini file, for the commands."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from pyramid.paster import get_appsettings

from authio.errors import StartupError
from authio.settings import Settings


def read(path: str) -> dict[str, str]:
    """The keys of ``[app:main]``, ``%(here)s`` filled in; StartupError if the file cannot be read."""
    if not Path(path).is_file():
        raise StartupError([f"There is no settings file at {path}."])
    try:
        return dict(get_appsettings(path))
    except (OSError, UnicodeDecodeError, LookupError, configparser.Error) as problem:
        reason = str(problem).partition("\n")[0].rstrip(".")
        raise StartupError([f"{path} cannot be read as settings: {reason}."]) from None


def load(path: str, **environ: str) -> Settings:
    """The settings of the ini file under the environment, with *environ* on top of that."""
    return Settings.load(read(path), {**os.environ, **environ})
