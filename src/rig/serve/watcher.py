"""Looks at the runs once a second, while anyone is connected, and tells what is new."""

import asyncio
from contextlib import suppress

from anyio.to_thread import run_sync

from rig.errors import RigError
from rig.serve.server_state import ServerState


LOOK_EVERY_S = 1.0
HIDDEN = ("settings", "metrics", "directory")


async def watch_runs(state: ServerState) -> None:
    """Tell all tabs which runs changed or are gone, until cancelled."""
    while True:
        if state.hub.clients:
            with suppress(RigError, OSError):
                changed, gone = await run_sync(state.index.refresh)
                if changed or gone:
                    rows = [{k: v for k, v in r.items() if k not in HIDDEN} for r in changed]
                    state.hub.publish("runs", changed=rows, gone=gone)
        await asyncio.sleep(LOOK_EVERY_S)
