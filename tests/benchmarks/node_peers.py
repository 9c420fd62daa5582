"""The Node packages: a child process that times a batch of each whenever it is told to."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.cases import Key
from tests.benchmarks.payloads import SIZES, contents
from tests.benchmarks.servers import program
from tests.benchmarks.timing import Sample

_HERE = Path(__file__).parent / "node"
_INSTALLED = Path(__file__).parents[2] / ".build" / "peers-bench"


class NodePeers:
    """Sealing and opening by the Node packages, timed inside Node, in the same rounds as everything else."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.samples: dict[Key, list[Sample]] = {}

    def round(self) -> None:
        """Have every package time one batch."""
        for name, deed, size, cpu, wall in json.loads(self._ask("round")):
            self.samples.setdefault(Key(name, deed, size), []).append(Sample(cpu, wall))

    def prepare(self) -> None:
        """Seal and open one session of each size; each must come back as it was."""
        answer = self._ask(json.dumps({size: contents(size) for size in SIZES}))
        if answer != "ready\n":
            message = "the Node packages did not get ready"
            raise RuntimeError(message)

    def _ask(self, line: str) -> str:
        if self._process.stdin is None or self._process.stdout is None:
            message = "the child process has no pipes"
            raise RuntimeError(message)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextlib.contextmanager
def node_peers() -> Iterator[NodePeers]:
    """The packages, installed first if they are not; raises `MissingProgramError` without Node."""
    node = program("node", advice="apt-get install nodejs npm")
    _install()
    command = [node, str(_INSTALLED / "peers.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        peers = NodePeers(process)
        peers.prepare()
        yield peers


def versions() -> dict[str, str]:
    """The installed packages with their versions."""
    names = json.loads((_HERE / "package.json").read_text())["dependencies"]
    manifests = {name: _INSTALLED / "node_modules" / name / "package.json" for name in names}
    return {name: json.loads(manifest.read_text())["version"] for name, manifest in manifests.items()}


def _install() -> None:
    npm = program("npm", advice="apt-get install npm")
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    # Node looks for packages beside the script.
    (_INSTALLED / "peers.mjs").write_bytes((_HERE / "peers.mjs").read_bytes())
    wanted = (_HERE / "package.json").read_bytes()
    installed = _INSTALLED / "package.json"
    if not installed.exists() or installed.read_bytes() != wanted:
        installed.write_bytes(wanted)
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund"], cwd=_INSTALLED, check=True)
