"""Every target of the fuzzer."""

from functools import cache

from tests.soak.fuzz_foreign import foreign_targets
from tests.soak.fuzz_own import own_targets
from tests.soak.fuzz_proof import proof_targets
from tests.soak.fuzz_target import Target


@cache
def targets() -> dict[str, Target]:
    return {target.name: target for target in (*own_targets(), *proof_targets(), *foreign_targets())}


def target_named(name: str) -> Target:
    return targets()[name]
