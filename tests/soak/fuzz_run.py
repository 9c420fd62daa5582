"""One run of one target: the process that does it, and what became of it."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.soak.fuzz_corpus import keep, kept, slug
from tests.soak.fuzz_target import Target, least_milliseconds

ROOT = Path(__file__).parents[2]
FOUND = ROOT / ".build" / "fuzz"
# The bound on memory: an interpreter with FastAPI takes 150 MB.
MOST_MEGABYTES = 400
# What parsers look for: JSON's odd values, names that a format or a model gives a meaning to, marks between fields.
WORDS = (
    *('\\ud800"', "NaN", "-Infinity", "1e999", "null", "true", "{}", "[[[[[[[[", '{"a":', '"":', "\\u0000", "\n", "\0"),
    *("user_id", "cart", "seen", "tags", "home", "visits", "exact", "_fastsession", "__proto__", "cookie", "expires"),
    *("__ts", "_store", "expires_at", '{" t":', '{" b":', '{" u":', '{" d":', '{" di":', "9" * 20),
    *("Fe26.2*", "~2", "%00", "%3B", "s:", "=", "; ", '"', ".", "*", "-0", "1.abcdefgh."),
)
# libFuzzer's own, for an input that does not end; the bound on a slow one is in fuzz.py.
MOST_SECONDS = 10


@dataclass(frozen=True)
class Run:
    """What a run did. `slowest` is in milliseconds, without the fuzzer's instruments."""

    target: str
    executions: int
    features: int
    corpus: int
    megabytes: int
    slowest: float
    finished: bool
    crashes: list[Path]


def run(target: Target, *, seconds: int, keeping: bool) -> Run:
    """Fuzz a target for so many seconds, starting from its seeds and the inputs that were kept."""
    folder = FOUND / slug(target.name)
    shutil.rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, data in enumerate([*target.seeds, *kept(target.name)]):
        (corpus / f"seed-{number}").write_bytes(data)
    words = folder / "words.txt"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    finished, output = _child(target, folder, f"-max_total_time={seconds}", f"-dict={words}", str(corpus))
    (folder / "log.txt").write_text(output)
    crashes = sorted(path for path in folder.iterdir() if re.match("crash-|timeout-|oom-|leak-", path.name))
    if keeping:
        # libFuzzer adds what reaches something new; the seeds are made anew each time.
        inputs = {path.read_bytes() for path in corpus.iterdir()}
        keep(target.name, list(inputs.difference(target.seeds)))
    slow = [path.read_bytes() for path in folder.glob("slow-*")] if finished else []
    return Run(
        target.name,
        executions=_figure(r"stat::number_of_executed_units: (\d+)", output),
        features=_figure(r" ft: (\d+) ", output),
        corpus=_figure(r" corp: (\d+)/", output),
        megabytes=_figure(r"stat::peak_rss_mb: +(\d+)", output),
        slowest=max((least_milliseconds(target, data) for data in slow), default=0.0),
        finished=finished,
        crashes=crashes,
    )


def _child(target: Target, folder: Path, *arguments: str) -> tuple[bool, str]:
    """Whether libFuzzer came to its end by itself, and all it said."""
    command = [sys.executable, "-m", "tests.soak.fuzz_child", target.name, str(folder), *arguments]
    limits = [f"-max_len={target.longest}", f"-rss_limit_mb={MOST_MEGABYTES}", f"-timeout={MOST_SECONDS}"]
    done = subprocess.run(
        [*command, *limits, f"-artifact_prefix={folder}/", "-print_final_stats=1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        check=False,
    )
    return done.returncode == 0, done.stdout


def _figure(pattern: str, output: str) -> int:
    """The last figure of that kind in libFuzzer's output, 0 without any."""
    figures = re.findall(pattern, output)
    return int(figures[-1]) if figures else 0


def _escaped(word: str) -> str:
    """A word as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{byte:02x}" for byte in word.encode())
