"""The ``authio`` command: what there is to say, and who carries it out.

Each command is a function in a module of its own that is imported when it is asked for, so that
``authio inspect`` starts without the server and ``authio --help`` without anything.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from authio.errors import AuthioError, StartupError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Problems are told on standard error, without a traceback."""
    parser = _parser()
    given = sys.argv[1:] if argv is None else argv
    if not given:
        parser.print_help(sys.stderr)
        return 2
    arguments = parser.parse_args(given)
    # Pyramid still looks its assets up through pkg_resources; nobody who runs this can do anything about it.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
    module = importlib.import_module(f"authio.scripts.{arguments.module}")
    try:
        return int(getattr(module, arguments.run)(arguments) or 0)
    except StartupError as error:
        for problem in error.problems:
            print(f"authio: {problem}", file=sys.stderr)
        return 2
    except AuthioError as error:
        print(f"authio: {error.message} ({error.code})", file=sys.stderr)
        for wrong in error.errors:
            print(f"authio: {wrong.field}: {wrong.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        reason = _database_reason(error)
        if reason is None:
            raise
        print(f"authio: The database cannot be used: {reason}.", file=sys.stderr)
        print("authio: Look at sqlalchemy.url (AUTHIO_DATABASE_URL) and `authio migrate`.", file=sys.stderr)
        return 1


def _database_reason(error: Exception) -> str | None:
    """The first line of what the database or its driver said; None if *error* did not come from there."""
    # What was never imported was never raised, and most commands need no database.
    raised = sys.modules.get("sqlalchemy.exc")
    if raised is None or not isinstance(error, raised.DBAPIError):
        return None
    return str(error.orig).partition("\n")[0].strip().rstrip(".")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="authio", description="Self-hosted Admin Portal for enterprise single sign-on."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _running(commands)
    _projects(commands)
    _providers(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction, name: str, module: str, run: str, help: str, *, ini: bool = True
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(module=module, run=run)
    if ini:
        parser.add_argument(
            "ini",
            metavar="INI",
            nargs="?",
            default=os.environ.get("AUTHIO_INI", "development.ini"),
            help="settings file (default: $AUTHIO_INI, then development.ini)",
        )
    return parser


def _running(commands: argparse._SubParsersAction) -> None:
    serve = _command(commands, "serve", "running", "serve", "Web and worker in one process.")
    serve.add_argument("--listen", metavar="HOST:PORT", help="instead of authio.listen")
    _command(commands, "worker", "running", "worker", "The worker alone: delivers webhooks.")
    _command(
        commands, "migrate", "running", "migrate", "Bring the database to the newest schema, under a lock."
    )
    _command(commands, "new-master-key", "running", "new_master_key", "Print a fresh master key.", ini=False)
    listen = _command(
        commands,
        "listen",
        "listening",
        "listen",
        "A webhook receiver for development: verifies and prints what comes.",
    )
    listen.add_argument("--port", type=_port, default=6544)
    listen.add_argument("--project", metavar="ID", help="whose events (default: the only project there is)")
    _rehearse(commands)


def _rehearse(commands: argparse._SubParsersAction) -> None:
    rehearse = _command(
        commands,
        "rehearse",
        "rehearsing",
        "rehearse",
        "An identity provider for development, over SAML and OpenID Connect, that makes mistakes on request.",
        ini=False,
    )
    rehearse.add_argument("--saml-port", type=_port, default=6545)
    rehearse.add_argument("--oidc-port", type=_port, default=6546)
    rehearse.add_argument(
        "--mistake",
        metavar="NAME",
        action="append",
        default=[],
        help="make it from the start; may be repeated",
    )
    rehearse.add_argument("--list-mistakes", action="store_true", help="list what --mistake takes, and end")
    rehearse.add_argument(
        "--keys",
        metavar="FILE",
        default="var/rehearsal.json",
        help="where its keys and its client's secret are kept (default: var/rehearsal.json)",
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _projects(commands: argparse._SubParsersAction) -> None:
    project = commands.add_parser("project", help="Projects.").add_subparsers(metavar="ACT", required=True)
    create = project.add_parser(
        "create", help="Make a project with its first API key, which is shown this once."
    )
    create.set_defaults(module="projects", run="create")
    create.add_argument("name")
    _ini_and_json(create)
    listed = project.add_parser("list", help="Every project.")
    listed.set_defaults(module="projects", run="list_projects")
    _ini_and_json(listed)
    keys = commands.add_parser("api-key", help="A project's API keys.").add_subparsers(
        metavar="ACT", required=True
    )
    for act, help in (
        ("create", "Make another key, which is shown this once."),
        ("list", "The keys, without their secrets."),
        ("revoke", "Make a key worthless at once."),
    ):
        parser = keys.add_parser(act, help=help)
        parser.set_defaults(module="projects", run=f"{act}_key" if act != "list" else "list_keys")
        parser.add_argument("--project", metavar="ID", required=True)
        if act == "create":
            parser.add_argument("--name", default="", help="to tell it from the others")
        if act == "revoke":
            parser.add_argument("key", metavar="KEY_ID")
        _ini_and_json(parser)
    _redirect_uris(commands)


def _redirect_uris(commands: argparse._SubParsersAction) -> None:
    addresses = commands.add_parser(
        "redirect-uri", help="Where a project's products may have people sent back to."
    ).add_subparsers(metavar="ACT", required=True)
    for act, help in (
        ("add", "Register an address."),
        ("list", "Every registered address."),
        ("remove", "Send nobody there any more."),
    ):
        parser = addresses.add_parser(act, help=help)
        parser.set_defaults(module="redirect_uris", run="list_all" if act == "list" else act)
        parser.add_argument("--project", metavar="ID", required=True)
        if act != "list":
            parser.add_argument("uri", metavar="URI")
        if act == "add":
            parser.add_argument(
                "--default", action="store_true", help="for sign-ins that did not begin at the product"
            )
        _ini_and_json(parser)


def _ini_and_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ini",
        metavar="INI",
        nargs="?",
        default=os.environ.get("AUTHIO_INI", "development.ini"),
        help="settings file",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")


def _providers(commands: argparse._SubParsersAction) -> None:
    listed = _command(
        commands, "providers", "providers", "list_providers", "The providers that are installed."
    )
    listed.add_argument("--json", action="store_true", help="machine-readable")
    inspect = _command(
        commands,
        "inspect",
        "providers",
        "inspect",
        "Judge metadata or a value, without server or database. Exit status 1 when it is rejected.",
        ini=False,
    )
    inspect.add_argument("--provider", metavar="KEY", help="whose it should be; without it, it is recognised")
    inspect.add_argument("--protocol", choices=("saml", "oidc"))
    what = inspect.add_mutually_exclusive_group(required=True)
    what.add_argument("--url", metavar="U", help="fetch it from here")
    what.add_argument("--file", metavar="F", help="read it from here; - is standard input")
    what.add_argument(
        "--value", metavar="FIELD=V", action="append", help="judge the value alone; may be repeated"
    )
    inspect.add_argument("--now", metavar="T", help="judge as of this moment, such as 2026-01-31T12:00:00Z")
    inspect.add_argument(
        "--sp-entity-id", metavar="E", help="our own entity ID, to recognise our own metadata"
    )
    inspect.add_argument(
        "--issuer", metavar="I", help="the issuer that was entered, for a discovery document"
    )
    inspect.add_argument("--json", action="store_true", help="machine-readable")


if __name__ == "__main__":
    sys.exit(main())
