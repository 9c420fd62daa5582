"""What a test's session needs on the server: its record in the store, and what is revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastsession.decision import Outcome
from fastsession.errors import StoreUnavailableError
from fastsession.mapping import SessionDict
from fastsession.sealing.token import Token
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.session import Session
from fastsession.stores.contract import Revocations
from fastsession.testing.bound import Bound
from fastsession.visit import Visit

T = TypeVar("T")
_ANY_SESSION = "0" * 32
_ADVICE = (
    "A store or revocations that belong to one event loop, such as those with a client of your own, are reached "
    "from that loop: await set_session_async(...) or opened_session_async(...) there."
)


async def keep(lifecycle: ServerLifecycle, token: Token, session: Session, bound: Bound) -> Token:
    """Write the session's record as its login would; returns the token that the login's cookie would carry."""
    token = token._replace(binding=await bound.of(lifecycle.setup))
    await _start_revocations(lifecycle)
    # As a login is: not ended by an `end_all()` of the same second.
    token = lifecycle.revoking.after_cut_offs(token, session)
    if lifecycle.writer is None:
        return token
    view, visit = SessionDict(), Visit(lifecycle.setup, b"", b"")
    view.lifecycle, view.visit, view.model, view.entries = lifecycle, visit, session, None
    return await lifecycle.writer.write(Outcome.SAVE, token, view, {})


async def look_up(lifecycle: ServerLifecycle, visit: Visit, bound: Bound) -> None:
    """Get what has to be asked for before the session can be loaded."""
    visit.binding = await bound.of(lifecycle.setup)
    await _start_revocations(lifecycle)
    await lifecycle.look_up(visit)


def run_apart(lifecycle: ServerLifecycle, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, from a thread with an event loop of its own: the caller may be in a running one."""

    async def finish() -> T:
        # The application may follow its revocations in another loop: only what was started in this one is stopped.
        started = await _start_revocations(lifecycle)
        try:
            return await work
        except (StoreUnavailableError, RuntimeError) as error:
            error.add_note(_ADVICE)
            raise
        finally:
            if lifecycle.setup.store is not None:
                await lifecycle.setup.store.stop()
            if started is not None:
                await started.stop()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, finish()).result()


async def _start_revocations(lifecycle: ServerLifecycle) -> Revocations | None:
    """Start the revocations where nothing has, so that they can be asked; returns those that were started."""
    revocations = lifecycle.revocations
    if revocations is None:
        return None
    try:
        revocations.denied(_ANY_SESSION, None, 0)
    except StoreUnavailableError:
        await revocations.start()
        return revocations
    return None
