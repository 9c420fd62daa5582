"""How long denials take from the call to their force in other processes."""

import asyncio
import random
import time
from secrets import token_hex

from tests.stores import moments, workers


async def delays_of_denials(kind, place, pool, count=300):
    """Seconds from each call to its force, in each process. Raises when one does not learn of a denial."""
    sessions = [token_hex(16) for _ in range(count)]
    watching = await pool.begin(workers.see_denials, kind, place, [sessions] * pool.size)
    revocations, begun = workers.revocations_at(kind, place), []
    await revocations.start()
    for session in sessions:
        # Not in step with anybody's polls.
        await asyncio.sleep(random.uniform(0, 0.02))
        begun.append(time.monotonic())
        await revocations.deny_session(session, until=moments.later())
        assert revocations.denied(session, None, 0)
    seen = await watching
    await revocations.stop()
    return [at - start for worker in seen for start, at in zip(begun, worker, strict=True)]
