"""What is read from samples: medians and quarters, differences and ratios taken round by round."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.cases import Key
from tests.benchmarks.timing import Sample, Spread, spread

Samples = Mapping[Key, Sequence[Sequence[Sample]]]


class Figures:
    """Microseconds a request; `added` is over the same application without sessions.

    Of a key that was measured several times in each round, the median of each round counts.
    """

    def __init__(self, samples: Samples, bare: Mapping[Key, str]) -> None:
        self._samples = samples
        self._bare = bare

    def __contains__(self, key: Key) -> bool:
        return key in self._samples

    def __iter__(self) -> Iterator[Key]:
        return iter(self._samples)

    def rounds(self) -> int:
        """How many rounds there were."""
        return len(next(iter(self._samples.values()))[0])

    def is_added(self, key: Key) -> bool:
        """Whether the key is a request's, with an application without sessions to compare it with."""
        return key in self._bare and key.scenario != "bare"

    def whole(self, key: Key) -> Spread:
        """Everything in the request, or the call."""
        return spread(self._rounds(key, "cpu"))

    def least(self, key: Key) -> float:
        """The smaller of CPU and wall time: a Node process spends CPU time on helper threads too."""
        return min(spread(self._rounds(key, clock)).median for clock in ("cpu", "wall"))

    def added(self, key: Key) -> Spread:
        return spread(self._added(key, "cpu"))

    def added_wall(self, key: Key) -> Spread:
        return spread(self._added(key, "wall"))

    def ratio(self, key: Key, to: Key) -> Spread:
        """Of the CPU time that the one adds to what the other adds, each round by itself."""
        pairs = zip(self._added(key, "cpu"), self._added(to, "cpu"), strict=True)
        return spread([one / other for one, other in pairs])

    def difference(self, key: Key, to: Key) -> Spread:
        pairs = zip(self._added(key, "cpu"), self._added(to, "cpu"), strict=True)
        return spread([one - other for one, other in pairs])

    def _added(self, key: Key, clock: str) -> list[float]:
        bare = self._rounds(Key(self._bare[key], "bare", ""), clock)
        return [with_it - without for with_it, without in zip(self._rounds(key, clock), bare, strict=True)]

    def _rounds(self, key: Key, clock: str) -> list[float]:
        rounds = zip(*self._samples[key], strict=True)
        return [statistics.median(getattr(sample, clock) for sample in samples) for samples in rounds]
