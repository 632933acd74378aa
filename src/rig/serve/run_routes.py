"""The addresses that show runs: rows, metrics, image grids, what may be wrong."""

import re
from dataclasses import asdict
from hashlib import sha256

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rig.errors import ConfigError, RunError
from rig.report.diagnose import findings
from rig.report.run_facts import facts_of
from rig.runs.run import Run
from rig.runs.settings import learned_from, preset_of
from rig.serve.errors import RequestError, not_found
from rig.serve.http import reply
from rig.serve.images import read_png, read_round
from rig.serve.run_index import RunIndex
from rig.serve.server_state import ServerState, Values, state_of
from rig.settings import flat
from rig.sweep.query import select


SCHEMA = 1
"""Raised when messages change, so that an old page says that it must be loaded again."""
GRID_NAME = re.compile(r"[a-z]+(-\d{7})?\.png")
MAX_CONDITION = 500


async def health(request: Request) -> Response:
    """Say which version this is."""
    state = state_of(request)
    return reply({"version": state.version, "schema": SCHEMA, "read_only": state.is_read_only})


async def list_runs(request: Request) -> Response:
    """List the runs; with ``where``, those that meet all conditions."""
    where = request.query_params.get("where", "")[:MAX_CONDITION]
    return await run_sync(reply_runs, state_of(request).index, where)


def reply_runs(index: RunIndex, where: str) -> Response:
    """Return the runs that meet all conditions.

    Raises:
        RequestError: A condition is none.
    """
    index.refresh()
    rows = index.rows()
    conditions = [part.strip() for part in where.split(",") if part.strip()]
    if conditions:
        whole = [row for row in rows if row["state"] != "damaged"]
        try:
            ids = {row["id"] for row in select(whole, conditions)}
        except ConfigError as error:
            raise RequestError(422, "bad_condition", str(error)) from error
        rows = [row for row in rows if row["id"] in ids]
    hidden = ("settings", "metrics", "directory")
    shown = [{k: v for k, v in row.items() if k not in hidden} for row in rows]
    return reply({"runs": shown})


async def show_run(request: Request) -> Response:
    """Return everything about a run but its metrics."""
    state, run_id = state_of(request), request.path_params["run_id"]
    await run_sync(state.index.refresh)
    return reply(await run_sync(describe, state, run_id))


def describe(state: ServerState, run_id: str) -> Values:
    """Return what the page shows of a run beside its metrics."""
    run, row = state.index.open(run_id), state.index.row(run_id)
    try:
        facts = facts_of(run, row["name"])
        texts = findings(facts)
    except RunError as error:
        raise RequestError(409, "damaged", str(error)) from error
    hidden = ("settings", "metrics", "directory")
    return {key: value for key, value in row.items() if key not in hidden} | {
        "learned_from": f"{learned_from(run.config)}, {preset_of(run.config)}",
        "settings": {key: str(value) for key, value in flat(asdict(run.config)).items()},
        "origin": {key: str(value) for key, value in flat(facts.origin).items()},
        "evaluation": facts.evaluation,
        "findings": texts,
        "grids": grid_names(run),
    }


def grid_names(run: Run) -> list[str]:
    """Return the names of a run's image grids, in order."""
    found = run.images.glob("*.png") if run.images.is_dir() else ()
    return sorted(path.name for path in found if GRID_NAME.fullmatch(path.name))


async def read_metrics(request: Request) -> Response:
    """Return the metrics after a row, or all if they were cut since."""
    state, run_id = state_of(request), request.path_params["run_id"]
    after, generation = whole_number(request, "after"), whole_number(request, "generation")
    try:
        tail = state.tail(run_id)
        return await run_sync(lambda: reply(tail.read(after, generation)))
    except RunError as error:
        raise RequestError(409, "damaged", str(error)) from error


def whole_number(request: Request, name: str) -> int:
    """Return a query parameter as a whole number; 0 if it is none."""
    text = request.query_params.get(name, "0")
    return int(text) if re.fullmatch(r"\d{1,15}", text) else 0


async def read_grid(request: Request) -> Response:
    """Return an image grid of a run."""
    name = request.path_params["name"]
    if not GRID_NAME.fullmatch(name):
        raise not_found("no_image", "there is no such image")
    run = await run_sync(state_of(request).index.open, request.path_params["run_id"])
    data = await run_sync(read_png, run.images / name, run.directory)
    return png_reply(request, data)


async def show_round(request: Request) -> Response:
    """Say what is in the image of the last round of practice; null if there is none."""
    place = state_of(request).index.place(request.path_params["run_id"])
    try:
        about, _ = await run_sync(read_round, place.directory)
    except RequestError:
        about = None
    return reply({"round": about})


async def read_round_image(request: Request) -> Response:
    """Return the image of the last round of practice."""
    place = state_of(request).index.place(request.path_params["run_id"])
    _, data = await run_sync(read_round, place.directory)
    return png_reply(request, data)


def png_reply(request: Request, data: bytes) -> Response:
    """Return a PNG, or that it has not changed since the browser asked before."""
    tag = f'"{sha256(data).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="image/png")


ROUTES = [
    Route("/api/health", health),
    Route("/api/runs", list_runs),
    Route("/api/runs/{run_id}", show_run),
    Route("/api/runs/{run_id}/metrics", read_metrics),
    Route("/api/runs/{run_id}/images/{name}", read_grid),
    Route("/api/runs/{run_id}/round", show_round),
    Route("/api/runs/{run_id}/round.png", read_round_image),
]
