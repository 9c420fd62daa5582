"""`python -m example_app`: serve the shop on this machine."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from example_app.app import create_app
from fastsession import generate_key
from fastsession.stores import SQLiteStore

SECRET_FILE = Path(__file__).parent.parent / ".secret"
SESSIONS_FILE = Path(__file__).parent.parent / "sessions.sqlite3"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m example_app", description="Serve the example shop.")
    parser.add_argument("--port", type=int, default=8000)
    port: int = parser.parse_args().port
    secret_key = os.environ.get("SESSION_SECRET") or development_secret(SECRET_FILE)
    app = create_app(secret_key, SQLiteStore(SESSIONS_FILE))
    print(
        f"The shop:      http://127.0.0.1:{port}\nDemo account:  {DEMO_EMAIL}, password {DEMO_PASSWORD}\n", flush=True
    )
    # Starlette builds middlewares when the server starts the app. By default uvicorn goes on when that fails, and
    # answers 500 to everything; "on" makes it stop and say what is wrong with the secret.
    uvicorn.run(app, host="127.0.0.1", port=port, lifespan="on")


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
