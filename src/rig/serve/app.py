"""The page's server as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rig.errors import RigError
from rig.serve import goal_routes, live, robot_routes, run_routes
from rig.serve.access import Access, Guard
from rig.serve.errors import RequestError
from rig.serve.http import error_reply
from rig.serve.server_state import ServerState, as_request_error
from rig.serve.watcher import watch_runs


STATIC = Path(str(files("rig.serve").joinpath("static")))


def make_app(state: ServerState, access: Access) -> Guard:
    """Return the application, with its guard in front of every route."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.server = state
        state.hub.use_loop(asyncio.get_running_loop())
        watching = asyncio.create_task(watch_runs(state))
        yield
        watching.cancel()
        await asyncio.to_thread(state.robot.close)
        state.hub.use_loop(None)
        state.attempts.close()

    app = Starlette(
        routes=[
            Route("/", home),
            Route("/favicon.ico", favicon),
            *run_routes.ROUTES,
            *goal_routes.ROUTES,
            *robot_routes.ROUTES,
            *live.ROUTES,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={RigError: on_error, HTTPException: on_http_error},
        lifespan=lifespan,
    )
    return Guard(app, access)


async def home(request: Request) -> Response:
    """Return the page."""
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


async def favicon(request: Request) -> Response:
    """Return the icon of the page."""
    return FileResponse(STATIC / "icon.svg", headers={"cache-control": "no-cache"})


async def on_error(request: Request, error: Exception) -> Response:
    """Answer with an error that a person can act on."""
    assert isinstance(error, RigError)
    return error_reply(as_request_error(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer where there is no such address, or no such method."""
    assert isinstance(error, HTTPException)
    what = f"{error.detail}".lower()
    return error_reply(RequestError(error.status_code, what.replace(" ", "_"), what))
