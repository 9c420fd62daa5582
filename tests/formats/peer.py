"""The real packages in a Node process, asked over its standard input and output."""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

from tests import processes

SOURCE = Path(__file__).parent / "peers"
BUILD = Path(__file__).parents[2] / ".build" / "peers"
# Seconds that the packages may take to come over a network.
_DOWNLOAD = 240


class Peer:
    """Installs the packages where they are missing, and runs peers/peer.mjs as long as it is entered."""

    def __enter__(self) -> Self:
        install()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        processes.end(self._process)

    def seal(self, format: str, options: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """The cookies that the package sets for the data, and what it puts into its store."""
        answer = self._ask(format=format, operation="seal", options=options, data=data)
        return answer["cookies"], answer.get("store", {})

    def open(self, format: str, options: dict[str, Any], cookies: dict[str, str]) -> dict[str, Any] | None:
        """The data that the package finds in the cookies, None when it turns them away."""
        return self._ask(format=format, operation="open", options=options, cookies=cookies)["data"]

    def _ask(self, **request: Any) -> dict[str, Any]:
        answered = False
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            answered = True
        finally:
            # An answer that comes after a test's time would be taken for the answer of the next.
            if not answered:
                processes.kill(self._process)
                self._start()
        assert "error" not in answer, answer["error"]
        return answer

    def _start(self) -> None:
        self._process = processes.start(
            [processes.needed("node"), "--no-deprecation", "peer.mjs"],
            cwd=BUILD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )


def install() -> None:
    """Have the packages and the scripts in BUILD; of several test processes one at a time."""
    npm = processes.needed("npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / "package.json").read_text()
    stamp = BUILD / "installed.json"
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for script in SOURCE.iterdir():
            # One that is there may be running.
            if not (BUILD / script.name).exists() or (BUILD / script.name).read_bytes() != script.read_bytes():
                shutil.copy(script, BUILD)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run(
                [
                    npm,
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--no-package-lock",
                    # NextAuth would bring Next.js, which nothing here needs.
                    "--legacy-peer-deps",
                    "--loglevel=error",
                ],
                cwd=BUILD,
                check=True,
                stdout=subprocess.DEVNULL,
                timeout=_DOWNLOAD,
            )
            stamp.write_text(wanted)
