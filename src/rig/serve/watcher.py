"""Looks at the runs once a second, while anyone is connected, and tells what is new."""

import asyncio
from contextlib import suppress
from pathlib import Path

from anyio.to_thread import run_sync

from rig.errors import RigError
from rig.runs.live_files import LIVE, ROUND, keep_watching
from rig.serve.images import read_round
from rig.serve.server_state import ServerState


LOOK_EVERY_S = 1.0
HIDDEN = ("settings", "metrics", "directory")


async def watch_runs(state: ServerState) -> None:
    """Tell all tabs which runs changed or are gone, until cancelled."""
    seen: dict[str, int] = {}
    while True:
        if state.hub.clients:
            with suppress(RigError, OSError):
                changed, gone = await run_sync(state.index.refresh)
                if changed or gone:
                    rows = [{k: v for k, v in r.items() if k not in HIDDEN} for r in changed]
                    state.hub.publish("runs", changed=rows, gone=gone)
                await run_sync(watch_rounds, state, seen)
        await asyncio.sleep(LOOK_EVERY_S)


def watch_rounds(state: ServerState, seen: dict[str, int]) -> None:
    """Ask for the rounds of the runs that tabs watch, and tell of new ones.

    Args:
        state: The server.
        seen: When each run's last round was written; changed here.
    """
    for run_id in state.hub.watched():
        with suppress(RigError):
            directory = state.index.place(run_id).directory
            if state.index.row(run_id)["state"] == "training":
                keep_watching(directory)
            changed = changed_ns(directory / LIVE / ROUND)
            if changed and changed != seen.get(run_id):
                seen[run_id] = changed
                about, _ = read_round(directory)
                state.hub.publish("round", run=run_id, **about)


def changed_ns(path: Path) -> int:
    """Return when a file was last written; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
