"""The addresses that make goals: of an image, of moved things, of imagination."""

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rig.serve.errors import RequestError, not_found
from rig.serve.goals import Goal, check_source
from rig.serve.http import MAX_IMAGE_BYTES, field, read_body, read_object, reply
from rig.serve.images import jpeg, png
from rig.serve.run_routes import png_reply
from rig.serve.scene import Scene
from rig.serve.server_state import ServerState, Values, state_of
from rig.serve.trained import Trained


MAX_IMAGINED = 16
MAX_SEED = 2**32 - 1
MAKERS = CapacityLimiter(2)
"""Goals that are made at once; others wait."""


async def make_of_image(request: Request) -> Response:
    """Make a goal of the image file in the body."""
    state, run_id = state_of(request), request.path_params["run_id"]
    source = check_source(request.query_params.get("source", "upload"))
    trained = state.trained(run_id)
    data = await read_body(request, MAX_IMAGE_BYTES)
    image = await state.decoder.read(data, trained.image_size)
    goal = await run_sync(state.goals.add, trained, image, source, limiter=MAKERS)
    return reply(goal.as_json(), 201)


async def show_scene(request: Request) -> Response:
    """Return the things that can be moved."""
    scene = scene_of(state_of(request).trained(request.path_params["run_id"]))
    return reply(
        {
            "task": scene.task.name,
            "things": [thing.as_json() for thing in scene.things],
            "may_be_absent": sorted(scene.task.presence),
        }
    )


async def make_of_scene(request: Request) -> Response:
    """Make a goal of things that were moved."""
    state, body = state_of(request), await read_object(request)
    trained = state.trained(request.path_params["run_id"])
    things = field(body, "things", dict, {})
    goal = await run_sync(make_moved, state, trained, things, limiter=MAKERS)
    return reply(goal.as_json(), 201)


def make_moved(state: ServerState, trained: Trained, things: Values) -> Goal:
    """Make a goal of things that were moved.

    Raises:
        RequestError: They overlap, are out of reach, or are not of this scene.
    """
    scene = scene_of(trained)
    moved = scene.state_of(things)
    image = scene.goal_image(moved)
    large = jpeg(scene.draw_large(moved))
    return state.goals.add(trained, image, "moved", tuple(scene.notes(moved)), large)


def scene_of(trained: Trained) -> Scene:
    """Return the scene of a trained run.

    Raises:
        RequestError: Its environment is no task of ours.
    """
    if trained.scene is None:
        raise RequestError(
            409, "not_ours", "things can't be moved in this environment", "give an image"
        )
    return trained.scene


async def imagine(request: Request) -> Response:
    """Draw goals from the prior."""
    state, body = state_of(request), await read_object(request)
    trained = state.trained(request.path_params["run_id"])
    num, seed = field(body, "num", int, 8), field(body, "seed", int, 0)
    if not (1 <= num <= MAX_IMAGINED and 0 <= seed <= MAX_SEED):
        raise RequestError(400, "bad_field", f"num must be 1 to {MAX_IMAGINED}", "")
    made = await run_sync(state.goals.add_imagined, trained, num, seed, limiter=MAKERS)
    return reply([goal.as_json() for goal in made], 201)


async def show_goal(request: Request) -> Response:
    """Return a goal."""
    return reply(state_of(request).goals.get(request.path_params["goal_id"]).as_json())


async def goal_image(request: Request) -> Response:
    """Return a goal as the robot's camera would show it."""
    goal = state_of(request).goals.get(request.path_params["goal_id"])
    return png_reply(request, png(goal.image.image))


async def goal_large(request: Request) -> Response:
    """Return a goal drawn larger, for people."""
    goal = state_of(request).goals.get(request.path_params["goal_id"])
    if goal.large is None:
        raise not_found("no_image", "there is no such image")
    return Response(goal.large, headers={"cache-control": "no-cache"}, media_type="image/jpeg")


async def goal_decoded(request: Request) -> Response:
    """Return what the robot makes of a goal."""
    goal = state_of(request).goals.get(request.path_params["goal_id"])
    return png_reply(request, png(goal.decoded))


ROUTES = [
    Route("/api/runs/{run_id}/scene", show_scene),
    Route("/api/runs/{run_id}/goals", make_of_image, methods=["POST"]),
    Route("/api/runs/{run_id}/goals/scene", make_of_scene, methods=["POST"]),
    Route("/api/runs/{run_id}/goals/imagined", imagine, methods=["POST"]),
    Route("/api/goals/{goal_id}", show_goal),
    Route("/api/goals/{goal_id}/image.png", goal_image),
    Route("/api/goals/{goal_id}/decoded.png", goal_decoded),
    Route("/api/goals/{goal_id}/large.jpg", goal_large),
]
