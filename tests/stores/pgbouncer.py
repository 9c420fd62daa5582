"""A real PgBouncer in transaction mode before a PostgreSQL: fewer connections to that than its clients have to it."""

import time
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import processes
from tests.stores.database_server import DATABASE, PASSWORD, PAUSE, as_another_user, is_open, place

# Connections to PostgreSQL: two clients are soon given the same one, and one client two.
SHARED = 2


@contextmanager
def pooled(server):
    """PgBouncer's port, as long as the block runs."""
    program = processes.needed("pgbouncer", Path("/usr/sbin"))
    port = processes.free_port()
    with place() as folder:
        users, settings, output = folder / "users", folder / "settings", folder / "output"
        users.write_text(f'"shop" "{PASSWORD}"\n')
        settings.write_text(
            f"[databases]\n{DATABASE} = host=127.0.0.1 port={server.port} dbname={DATABASE}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {SHARED}\nmax_client_conn = 500\n"
        )
        with output.open("wb") as file:
            process = processes.start(as_another_user([program, str(settings)]), stdout=file, stderr=file)
        try:
            give_up = time.monotonic() + processes.PATIENCE
            while not is_open(port):
                assert process.poll() is None, output.read_text()
                assert time.monotonic() < give_up, output.read_text()
                time.sleep(PAUSE)
            yield port
        finally:
            with suppress(ProcessLookupError):
                processes.end(process)
