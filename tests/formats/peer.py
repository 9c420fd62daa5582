"""The real packages in a Node process, asked over its standard input and output."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

SOURCE = Path(__file__).parent / "peers"
BUILD = Path(__file__).parents[2] / ".build" / "peers"


class Peer:
    """Installs the packages where they are missing, and runs peers/peer.mjs as long as it is entered."""

    def __enter__(self) -> Self:
        _install()
        self._process = subprocess.Popen(
            ["node", "--no-deprecation", "peer.mjs"],
            cwd=BUILD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def seal(self, format: str, options: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """The cookies that the package sets for the data, and what it puts into its store."""
        answer = self._ask(format=format, operation="seal", options=options, data=data)
        return answer["cookies"], answer.get("store", {})

    def open(self, format: str, options: dict[str, Any], cookies: dict[str, str]) -> dict[str, Any] | None:
        """The data that the package finds in the cookies, None when it turns them away."""
        return self._ask(format=format, operation="open", options=options, cookies=cookies)["data"]

    def _ask(self, **request: Any) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer


def _install() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / "package.json").read_text()
    stamp = BUILD / "installed.json"
    for script in SOURCE.iterdir():
        shutil.copy(script, BUILD)
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
            cwd=BUILD,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        stamp.write_text(wanted)
