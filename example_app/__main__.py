"""`python -m example_app`: serve the shop on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from example_app.app import ABSOLUTE_TIMEOUT, IDLE_TIMEOUT, INSPECTOR, create_app
from example_app.certificate import Certificate, chromium_command, make_certificate
from fastsession import generate_key
from fastsession.stores import SQLiteStore

SECRET_FILE = Path(__file__).parent.parent / ".secret"
SESSIONS_FILE = Path(__file__).parent.parent / "sessions.sqlite3"
BROWSER_PROFILE = Path(__file__).parent.parent / ".cache" / "shop-browser"
LONGEST_IDLE_MINUTES = ABSOLUTE_TIMEOUT // timedelta(minutes=1)


class Options(argparse.Namespace):
    """How the shop is to be served."""

    port: int
    tls: bool
    idle_timeout: timedelta
    inspector: bool


def main() -> None:
    options = read_options()
    secret_key = os.environ.get("SESSION_SECRET") or development_secret(SECRET_FILE)
    app = create_app(
        secret_key, SQLiteStore(SESSIONS_FILE), idle_timeout=options.idle_timeout, inspector=options.inspector
    )
    address = f"https://localhost:{options.port}" if options.tls else f"http://127.0.0.1:{options.port}"
    print(f"The shop:         {address}")
    print(f"Demo account:     {DEMO_EMAIL}, password {DEMO_PASSWORD}")
    if options.inspector:
        print(f"Your session:     {address}{INSPECTOR}/")
    print("Timeout warning:  before a session ends; to see it soon, start with --idle-minutes 1")
    serve(app, address, options)


def serve(app: FastAPI, address: str, options: Options) -> None:
    """Run the shop until it is interrupted."""
    with TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder)) if options.tls else None
        print(binding_advice(certificate, address), flush=True)
        # Starlette builds middlewares when the server starts the app. By default uvicorn goes on when that fails, and
        # answers 500 to everything; "on" makes it stop and say what is wrong with the secret.
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=options.port,
            lifespan="on",
            ssl_certfile=certificate.file if certificate else None,
            ssl_keyfile=certificate.key_file if certificate else None,
        )
        # Reads the certificate, whose files are gone from here on.
        config.load()
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)


def binding_advice(certificate: Certificate | None, address: str) -> str:
    """How to see sessions bound to the browser's device, or why they are not."""
    if certificate is None:
        return (
            "Device binding:   not here: browsers bind sessions over https only, and this is plain http, so a stolen\n"
            "                  cookie works anywhere. To see it, start with --tls (make run TLS=1).\n"
        )
    command = chromium_command(certificate, BROWSER_PROFILE, f"{address}/sign-in")
    return f"Device binding:   sign in with a Chromium that is started like this:\n\n{command}\n"


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """What was asked for, on the command line unless `arguments` are given."""
    parser = argparse.ArgumentParser(prog="python -m example_app", description="Serve the example shop.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve https with a throw-away certificate, to try device-bound sessions",
    )
    parser.add_argument(
        "--idle-minutes",
        dest="idle_timeout",
        metavar="MINUTES",
        type=minutes,
        default=IDLE_TIMEOUT,
        help="how long a session lasts without a visit (default: 30)",
    )
    parser.add_argument(
        "--inspector",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show a visitor on this machine what is in the session (default: yes)",
    )
    return parser.parse_args(arguments, Options())


def minutes(text: str) -> timedelta:
    """So many whole minutes, within the absolute timeout."""
    idle_timeout = int(text)
    if not 1 <= idle_timeout <= LONGEST_IDLE_MINUTES:
        message = f"from 1 to {LONGEST_IDLE_MINUTES}, because after that a session ends with visits too"
        raise argparse.ArgumentTypeError(message)
    return timedelta(minutes=idle_timeout)


def development_secret(file: Path) -> str:
    """The secret in `file`, made at the first start so that sessions survive the next one. In production it comes
    from the environment.
    """
    try:
        # Only the owner may read it, from the moment it exists.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    secret = generate_key()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secret + "\n")
    return secret


if __name__ == "__main__":
    main()
