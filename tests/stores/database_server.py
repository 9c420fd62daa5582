"""Real PostgreSQL and MariaDB, each in processes of its own on a free port, that can be stopped in every way."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from fastsession.stores import create_tables
from fastsession.stores.sqlalchemy_tables import DENIALS, SESSIONS
from tests import processes

PASSWORD = "correct-horse"
DATABASE = "shop"
PAUSE = 0.02
_QUICK = ("--no-sync", "-E", "UTF8", "--locale=C")


class DatabaseServer:
    """A server whose data is in `directory`, which its user owns: neither of the two runs as root."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.port = processes.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self):
        raise NotImplementedError

    def start(self):
        give_up = time.monotonic() + processes.PATIENCE
        while True:
            output = self.directory.parent / "output"
            with output.open("wb") as file:
                self.process = processes.start(as_another_user([*self.command()]), stdout=file, stderr=file)
            while self.process.poll() is None:
                assert time.monotonic() < give_up, output.read_text()
                if is_open(self.port) and self.is_ready():
                    return
                time.sleep(PAUSE)
            # After a kill, what the dead server shared with its children is given back only when they are gone too.
            assert time.monotonic() < give_up, output.read_text()
            time.sleep(PAUSE)

    def is_ready(self):
        return True

    def create_tables(self, database=DATABASE):
        # In a thread: a fixture may be asked for while its test's event loop runs.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, create_tables(self.url(database=database))).result()

    def empty(self):
        self.sql(f"DELETE FROM {SESSIONS}", f"DELETE FROM {DENIALS}")

    def kill(self):
        """Kill it and its children without a word; what is killed already stays so."""
        if self.process is None:
            return
        for process in family(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        processes.kill(self.process)

    def pause(self):
        for process in family(self.process.pid):
            os.kill(process, signal.SIGSTOP)

    def resume(self):
        for process in family(self.process.pid):
            os.kill(process, signal.SIGCONT)


class PostgresServer(DatabaseServer):
    name = "postgresql"
    drivers = ("asyncpg", "psycopg")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        # What it has written survives its being killed: the machine goes on.
        "fsync": "off",
        "shared_buffers": "16MB",
        "max_connections": "60",
    }

    def url(self, driver="asyncpg", user="shop", password=PASSWORD, database=DATABASE, port=None):
        return f"postgresql+{driver}://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def make(self):
        password = self.directory.parent / "password"
        password.write_text(PASSWORD)
        run_as_another_user(
            [
                program("initdb"),
                "-D",
                self.directory,
                "-U",
                "shop",
                "-A",
                "scram-sha-256",
                "--pwfile",
                password,
                *_QUICK,
            ]
        )

    def command(self):
        yield from (program("postgres"), "-D", self.directory, "-p", str(self.port))
        for name, value in self.settings.items():
            yield from ("-c", f"{name}={value}")

    def is_ready(self):
        done = subprocess.run(
            [program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"], check=False, capture_output=True
        )
        return done.returncode == 0

    def sql(self, *statements, database=DATABASE):
        """What the last statement gives, one row a line."""
        command = [program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "shop", "-d", database, "-qtAX"]
        command += ["-v", "ON_ERROR_STOP=1", *(word for statement in statements for word in ("-c", statement))]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    def create_database(self):
        self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")

    def empty(self):
        self.sql(f"TRUNCATE {SESSIONS}, {DENIALS}")


class MariaDBServer(DatabaseServer):
    name = "mariadb"
    drivers = ("asyncmy",)

    def url(self, driver="asyncmy", user="shop", password=PASSWORD, database=DATABASE, port=None):
        return f"mysql+{driver}://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def make(self):
        command = [processes.needed("mariadb-install-db"), "--no-defaults", f"--datadir={self.directory}"]
        run_as_another_user([*command, "--auth-root-authentication-method=normal", "--skip-test-db"])

    def command(self):
        socket = self.directory.parent / "socket"
        yield from (processes.needed("mariadbd", Path("/usr/sbin")), "--no-defaults", f"--datadir={self.directory}")
        yield from (f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={socket}", "--skip-name-resolve")
        yield from ("--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M", "--skip-log-bin")

    def sql(self, *statements, database=DATABASE):
        socket = self.directory.parent / "socket"
        command = [processes.needed("mariadb"), "--no-defaults", f"--socket={socket}", "-u", "root", "-N", "-B"]
        done = subprocess.run(
            [*command, database, "-e", "; ".join(statements)], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def create_database(self):
        self.sql(
            f"CREATE DATABASE {DATABASE}",
            f"CREATE USER shop@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON {DATABASE}.* TO shop@'127.0.0.1'",
            database="mysql",
        )


def program(name):
    return processes.needed(name, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))


def is_open(port):
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def family(process):
    """A process and its children, the parent first."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def another_user():
    """Who runs the servers when the tests are run by root, whom they refuse."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def as_another_user(command):
    user = another_user()
    if user is None:
        return command
    ids = ("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")
    # Once more: it is forgotten with the change of user.
    return [processes.needed("setpriv"), *ids, "--pdeathsig", "KILL", "--", *command]


def run_as_another_user(command):
    done = subprocess.run(
        as_another_user(list(map(str, command))), check=False, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def place():
    """A folder that the servers' user owns; not in pytest's, which is for its own user alone."""
    folder = Path(tempfile.mkdtemp(prefix="fastsession-database-"))
    user = another_user()
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(kind):
    """A server with an empty database."""
    with place() as folder:
        server = kind(folder / "data")
        server.make()
        try:
            server.start()
            server.create_database()
            yield server
        finally:
            server.kill()
