"""The addresses that move the robot. Anyone with the token may stop it."""

from dataclasses import asdict

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from rig.serve.errors import RequestError
from rig.serve.http import field, read_object, reply
from rig.serve.robot_status import SPEEDS, STOPPED
from rig.serve.server_state import state_of


def count_command(request: Request) -> None:
    """Count a command of the one that sends it; stops are not counted.

    Raises:
        RequestError: There were too many within a second.
    """
    address = request.client.host if request.client else ""
    state_of(request).command_rates.count(address)


async def show_robot(request: Request) -> Response:
    """Say what the robot does."""
    return reply(asdict(state_of(request).robot.status))


async def wake(request: Request) -> Response:
    """Make the robot use a run's policy; it takes seconds, and the socket tells when."""
    count_command(request)
    state, body = state_of(request), await read_object(request)
    run_id = field(body, "run", str)
    again = field(body, "again", bool, False)
    state.robot.wake(run_id, await run_sync(state.loader, run_id), again=again)
    return reply(asdict(state.robot.status), 202)


async def go(request: Request) -> Response:
    """Begin an attempt at a goal; the client is a connected socket, which must send beats."""
    count_command(request)
    state, body = state_of(request), await read_object(request)
    goal = state.goals.get(field(body, "goal", str))
    client, start = field(body, "client", str), field(body, "start", str, "reset")
    speed = field(body, "speed", float, 1.0)
    if start not in ("reset", "here") or speed not in SPEEDS:
        raise RequestError(400, "bad_field", "start is reset or here; speed 0, 1 or 4")
    await run_sync(state.check_can_reach, goal.run)  # then nothing waits: the tab is there
    if client not in state.hub.clients:
        raise RequestError(409, "no_client", "no such tab is connected", "reload the page")
    is_unlike = goal.likeness is not None and goal.likeness.verdict == "unlike"
    if is_unlike and not field(body, "force", bool, False):
        raise RequestError(422, "unlike", "the goal is unlike anything practised", "force")
    attempt = state.robot.go(goal, client, is_reset=start == "reset", speed=speed)
    return reply({"attempt": attempt}, 202)


async def stop(request: Request) -> Response:
    """Stop the robot; it does not matter who drives it."""
    robot = state_of(request).robot
    robot.stop(STOPPED)
    return reply(asdict(robot.status))


async def reset(request: Request) -> Response:
    """Put the robot at its start."""
    count_command(request)
    robot = state_of(request).robot
    robot.reset()
    return reply(asdict(robot.status), 202)


async def list_attempts(request: Request) -> Response:
    """List the attempts of a run, the newest first."""
    state, run_id = state_of(request), request.path_params["run_id"]
    state.index.place(run_id)
    return reply({"attempts": state.attempts.all(run_id)})


async def show_attempt(request: Request) -> Response:
    """Return the numbers of an attempt, step by step."""
    recording = state_of(request).attempts.get(request.path_params["attempt_id"])
    steps = {
        "latent_distances": recording.latent_distances,
        "distances_by_step": recording.distances,
    }
    return reply(recording.as_json() | steps)


async def attempt_video(request: Request) -> Response:
    """Return the video of an attempt."""
    attempts, attempt_id = state_of(request).attempts, request.path_params["attempt_id"]
    path = await run_sync(attempts.video, attempt_id)
    return FileResponse(path, media_type="video/mp4", headers={"cache-control": "no-cache"})


ROUTES = [
    Route("/api/robot", show_robot, methods=["GET"]),
    Route("/api/robot", wake, methods=["POST"]),
    Route("/api/robot/go", go, methods=["POST"]),
    Route("/api/robot/stop", stop, methods=["POST"]),
    Route("/api/robot/reset", reset, methods=["POST"]),
    Route("/api/runs/{run_id}/attempts", list_attempts),
    Route("/api/attempts/{attempt_id}.json", show_attempt),
    Route("/api/attempts/{attempt_id}.mp4", attempt_video),
]
