"""The robot behind the page: goals, go, stop, and what happens when nobody is there."""

import http.client
import json
import struct
import zlib
from contextlib import suppress
from dataclasses import replace
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest
from fake_run import make_run
from page_server import TOKEN, served

from rig.envs.tasks import find_task
from rig.goals.tried_goals import TriedGoals
from rig.serve import robot, server_state
from rig.serve.arm import Arm
from rig.serve.errors import RequestError
from rig.serve.goals import MAX_GOALS
from rig.serve.hub import unpack_frame
from rig.serve.images import png
from rig.serve.robot_status import STOPPED
from rig.serve.scene import LARGE_PX, Scene


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    run = make_run(root / "one")
    latents = np.zeros((40, run.config.vae.latent_dim), np.float32)
    tried = TriedGoals(latents=latents, is_reached=np.arange(40) < 3)
    for name, data in tried.files().items():
        (run.directory / name).write_bytes(data)
    with served(root) as found:
        yield found


@pytest.fixture(scope="module")
def run_id(server):
    (row,) = server.get("/api/runs")["runs"]
    server.post("/api/robot", {"run": row["id"]})
    server.wait_for("ready")
    return row["id"]


@pytest.fixture
def awake(server, run_id):
    """The robot stands, whatever the test before it left, and has nothing left to do."""
    server.post("/api/robot/stop")
    while server.state.robot.status.state not in ("ready", "held"):
        sleep(0.01)
    is_idle = Event()
    server.state.robot._jobs.put(is_idle.set)
    assert is_idle.wait(timeout=10)
    return run_id


def moved(server, run_id, x=0.1, y=0.6):
    return server.post(f"/api/runs/{run_id}/goals/scene", {"things": {"hand": [x, y]}})


def go(server, tab, goal, **options):
    body = {"goal": goal["id"], "client": tab.id, **options}
    return server.post("/api/robot/go", body)["attempt"]


def test_every_way_to_make_a_goal_ends_in_the_same_latent(server, awake):
    first = moved(server, awake)
    path = f"/api/goals/{first['id']}/image.png"
    _, _, image = server.request("GET", path)
    ids = [first["id"]]
    for source in ("upload", "paste", "drop", "webcam"):
        _, _, body = server.request("POST", f"/api/runs/{awake}/goals?source={source}", image)
        ids.append(json.loads(body)["id"])
    latents = [server.state.goals.get(goal_id).latent for goal_id in ids]
    assert all(np.array_equal(latent, latents[0]) for latent in latents)


def test_a_goal_says_how_often_such_goals_were_reached(server, awake):
    said = "Of the 20 goals of its evaluation that are most like this one, 3 were reached."
    expected = {"num_reached": 3, "num_goals": 20, "text": said}
    goal = moved(server, awake)
    assert goal["reach"] == expected
    assert goal["likeness"] is None, "this run kept nothing to compare with"
    (imagined,) = server.post(f"/api/runs/{awake}/goals/imagined", {"num": 1})
    assert imagined["reach"] == expected


def test_an_attempt_goes_to_its_end_and_has_a_video(server, awake):
    goal = moved(server, awake)
    with server.socket() as tab:
        attempt = go(server, tab, goal, speed=0)
        end = tab.take("attempt_end")
        assert (end["id"], end["why"], end["num_steps"]) == (attempt, "done", 50)
        steps = [m for m in tab.messages if m["type"] == "attempt"]
        assert [m["step"] for m in steps] == list(range(51))
        assert steps[0]["distances"]["hand_m"] == pytest.approx(np.hypot(0.1, 0.1))
        assert {frame["of"] for frame in tab.frames} >= {"camera", "decoded", "large"}
    server.wait_for("ready")
    listed = server.get(f"/api/runs/{awake}/attempts")["attempts"]
    assert listed[0]["id"] == attempt
    assert len(server.get(f"/api/attempts/{attempt}.json")["latent_distances"]) == 51
    status, headers, video = server.request("GET", f"/api/attempts/{attempt}.mp4")
    assert (status, headers["content-type"]) == (200, "video/mp4")
    assert video[4:8] == b"ftyp"


def test_stop_lets_at_most_the_step_end_that_has_begun(server, awake):
    goal = moved(server, awake)
    with server.socket() as tab:
        attempt = go(server, tab, goal)
        while tab.take("attempt")["step"] < 3:
            pass
        num = len(server.state.attempts._attempts[attempt].images)
        start_s = monotonic()
        server.post("/api/robot/stop")
        end = tab.take("attempt_end")
        assert monotonic() - start_s < 0.5
        assert end["why"] == "stopped"
        assert end["num_steps"] + 1 <= num + 1
        is_told = [m["state"] for m in tab.messages if m["type"] == "robot"]
        assert is_told[-1] == "held", "who hears of the end may send it off again"
    assert server.state.robot.status.state == "held"
    assert "Stop" in server.state.robot.status.reason


def test_the_robot_stops_when_its_page_is_not_heard_from(server, awake):
    goal = moved(server, awake)
    with server.socket(has_beat=False) as tab:
        start_s = monotonic()
        go(server, tab, goal)
        end = tab.take("attempt_end")
        assert end["why"] == "lost"
        assert 0.9 < monotonic() - start_s < 1.6


def test_beats_keep_it_moving(server, awake):
    goal = moved(server, awake)
    with server.socket() as tab:
        go(server, tab, goal, speed=4)
        assert tab.take("attempt_end")["why"] == "done"


def test_the_robot_stops_when_its_tab_is_closed(server, awake):
    goal = moved(server, awake)
    with server.socket() as tab:
        go(server, tab, goal)
        tab.take("attempt")
    start_s = monotonic()
    server.wait_for("held", timeout_s=1.2)
    assert monotonic() - start_s < 1.2
    assert "closed" in server.state.robot.status.reason


def test_another_tab_can_stop_but_not_go(server, awake):
    goal = moved(server, awake)
    with server.socket() as tab, server.socket() as other:
        go(server, tab, goal)
        tab.take("attempt")
        body = {"goal": goal["id"], "client": other.id}
        assert server.post("/api/robot/go", body, status=409)["code"] == "busy"
        server.post("/api/robot/reset", status=409)
        server.post("/api/robot", {"run": awake, "again": True}, status=409)
        server.post("/api/robot/stop")
        assert tab.take("attempt_end")["why"] == "stopped"


def test_it_can_continue_where_it_stands_and_be_reset(server, awake):
    with server.socket() as tab:
        go(server, tab, moved(server, awake, 0.2, 0.7), speed=0)
        first = tab.take("attempt_end")
        server.wait_for("ready")
        go(server, tab, moved(server, awake, 0.2, 0.7), speed=0, start="here")
        second = tab.take("attempt_end")
    hand = first["distances"]["hand_m"]
    assert second["distances"]["hand_m"]["start"] == pytest.approx(hand["end"], abs=1e-6)
    server.wait_for("ready")
    server.post("/api/robot/reset")
    server.wait_for("ready")


def test_a_robot_with_a_fault_can_be_woken_again(server, awake, monkeypatch):
    goal = moved(server, awake)
    arm = server.state.robot._trained.arm
    with server.socket() as tab:
        with monkeypatch.context() as broken:
            broken.setattr(type(arm), "step", lambda _arm, _action: 1 / 0)
            go(server, tab, goal, speed=0)
            assert tab.take("attempt_end")["why"] == "fault"
            server.wait_for("fault")
        assert "ZeroDivisionError" in server.state.robot.status.reason
        server.post("/api/robot", {"run": awake})
        server.wait_for("ready")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html><script>alert(1)</script>",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        png(np.zeros((48, 48, 3), np.uint8))[:60],
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(server, awake, data):
    status, _, body = server.request("POST", f"/api/runs/{awake}/goals", data)
    assert status == 422
    assert b"can't be read as an image" in body


def test_a_bomb_is_refused(server, awake):
    small = png(np.zeros((8, 8, 3), np.uint8))
    head = b"IHDR" + struct.pack(">II", 30_000, 30_000) + small[24:29]
    bomb = small[:12] + head + struct.pack(">I", zlib.crc32(head)) + small[33:]
    status, _, body = server.request("POST", f"/api/runs/{awake}/goals", bomb)
    assert status == 422
    assert b"too large" in body


def test_what_hides_in_an_image_is_not_served_back(server, awake):
    hidden = b"<script>alert(1)</script>"
    polyglot = png(np.zeros((48, 48, 3), np.uint8)) + hidden
    _, _, body = server.request("POST", f"/api/runs/{awake}/goals", polyglot)
    goal = json.loads(body)["id"]
    _, headers, image = server.request("GET", f"/api/goals/{goal}/image.png")
    assert headers["content-type"] == "image/png"
    assert hidden not in image


def test_an_image_without_a_length_is_counted_while_it_comes(server, awake):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", f"/api/runs/{awake}/goals")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.endheaders()
    with suppress(OSError):  # the server may hang up before it has all
        for _ in range(17):
            connection.send(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()


def test_the_oldest_goals_are_forgotten(server, awake):
    path = f"/api/runs/{awake}/goals/imagined"
    made = [goal["id"] for _ in range(5) for goal in server.post(path, {"num": 16})]
    kept = [server.request("GET", f"/api/goals/{goal}")[0] for goal in made]
    assert kept == [404] * (len(made) - MAX_GOALS) + [200] * MAX_GOALS


@pytest.mark.parametrize(
    "body",
    [
        {"things": {"hand": [9, 9]}},
        {"things": {"hand": [0.1]}},
        {"things": {"hand": "here"}},
        {"things": {"hand": None}},
        {"things": {"nothing": [1, 2]}},
    ],
)
def test_places_that_are_none_are_refused(server, awake, body):
    found = server.post(f"/api/runs/{awake}/goals/scene", body, status=422)
    assert found["code"] == "bad_thing"


def test_previews_show_the_newest_places(server, awake):
    with server.socket() as tab:
        for number in range(20):
            tab.send("scene", run=awake, things={"hand": [0.01 * number, 0.6]}, n=number)
        while not any(f["of"] == "scene" and f["n"] == 19 for f in tab.frames):
            tab.frames.append(read_frame(tab))
        assert len([f for f in tab.frames if f["of"] == "scene"]) < 20


def read_frame(tab):
    message = tab.socket.recv(timeout=10)
    return unpack_frame(message)[0] if isinstance(message, bytes) else {"of": "text"}


@pytest.mark.parametrize(
    ("task", "thing", "numbers"),
    [("Push", "puck", [0.05, 0.65]), ("PickAndPlace", "block", [0.62, 0.02])],
)
def test_handles_are_where_things_are_drawn(task, thing, numbers):
    scene = Scene(find_task(task), 48)
    found = next(each for each in scene.things if each.name == thing)
    x, y, ahead = found.to_pixels @ [*numbers, 1]
    here = scene.state_of({thing: numbers})
    away = scene.state_of({thing: [numbers[0] - 0.06, numbers[1]]})
    different = (scene.draw_large(here) != scene.draw_large(away)).any(axis=2)
    pixel = round(y / ahead * LARGE_PX), round(x / ahead * LARGE_PX)
    assert different[pixel]


def test_a_door_moves_on_an_arc():
    scene = Scene(find_task("Door"), 48)
    door = next(each for each in scene.things if each.name == "door")
    assert door.to_pixels is None
    assert door.arc.shape == (25, 3)
    assert np.ptp(door.arc[:, 1:], axis=0).max() > 0.1


def test_things_that_overlap_are_said_and_not_moved():
    scene = Scene(find_task("Push"), 48)
    state = scene.state_of({"hand": [0.0, 0.6], "puck": [0.0, 0.6]})
    with pytest.raises(RequestError, match="overlap"):
        scene.goal_image(state)
    outside = scene.state_of({"puck": [0.25, 0.65]})
    assert "puck" in scene.notes(outside)[0]
    assert not scene.notes(scene.state_of({"puck": [0.1, 0.65]}))
    behind = Scene(find_task("Door"), 48)
    blocked = behind.state_of({"hand": [0.05, 0.65, 0.2], "door": [0.83]})
    with pytest.raises(RequestError, match=r"can't get there|overlap"):
        behind.goal_image(blocked)


class Waiting(Arm):
    """A real robot whose person does not come."""

    def __init__(self, arm):
        self.__dict__.update(arm.__dict__)
        self.stops = []

    def listen(self, say, check):
        self.say, self.check = say, check

    def begin(self, goal, *, is_reset):
        while True:
            self.say("the arm is not armed: look at it, then `rig robot arm`")
            self.check()
            sleep(0.01)

    def stop(self, why):
        self.stops.append(why)

    def close(self):
        """The one that it was made of is used on."""


@pytest.fixture
def waiting(server, awake):
    robot = server.state.robot
    trained = robot._trained
    arm = Waiting(trained.arm)
    arm.listen(robot._say, robot._signal.check)
    robot._trained = replace(trained, arm=arm)
    yield arm
    robot._trained = trained
    server.post("/api/robot/reset")
    server.wait_for("ready")


def told_and_stopped(server):
    """Wait until the page says what the robot waits for; stop; return the state then."""
    status = server.state.robot
    while "not armed" not in status.status.reason:
        sleep(0.01)
    start_s = monotonic()
    server.post("/api/robot/stop")
    while status.status.state in ("moving", "waking", "stopping"):
        assert monotonic() - start_s < 1
        sleep(0.01)
    return status.status.state


def test_an_attempt_that_waits_for_a_person_says_so_and_ends_by_stop(server, awake, waiting):
    goal = moved(server, awake)
    with server.socket() as tab:
        attempt = go(server, tab, goal)
        assert told_and_stopped(server) == "held"
        assert tab.take("attempt_end")["why"] == "stopped"
    assert waiting.stops
    listed = server.get(f"/api/runs/{awake}/attempts")["attempts"]
    assert attempt not in [each["id"] for each in listed], "it never began"
    assert server.request("GET", f"/api/attempts/{attempt}.mp4")[0] == 404


def test_an_attempt_that_waits_for_a_person_ends_with_its_tab(server, awake, waiting):
    goal = moved(server, awake)
    with server.socket(has_beat=False) as tab:
        go(server, tab, goal)
        assert tab.take("attempt_end")["why"] == "lost"
    assert waiting.stops


def test_a_reset_that_waits_for_a_person_ends_by_stop(server, waiting):
    server.post("/api/robot/reset")
    sleep(0.05)
    server.post("/api/robot/stop")
    server.wait_for("held")
    assert waiting.stops


def test_a_real_arm_is_stopped_after_its_attempt_too(server, waiting, monkeypatch):
    """It drives home by itself then, and the page shows it as ready."""
    monkeypatch.setattr(Waiting, "is_real", True)
    server.state.robot._change(state="ready")
    server.post("/api/robot/stop")
    server.wait_for("held")
    assert waiting.stops == [STOPPED]


def test_a_stop_while_the_last_step_ends_is_not_lost(server, awake, waiting, monkeypatch):
    """The loop has ended when Stop is pressed, and the robot is not yet ready."""
    monkeypatch.setattr(Waiting, "is_real", True)

    def ends_as_stop_is_pressed(*_args, **_options):
        server.post("/api/robot/stop")
        return "done"

    monkeypatch.setattr(robot, "move_to_goal", ends_as_stop_is_pressed)
    goal = moved(server, awake)
    with server.socket() as tab:
        go(server, tab, goal)
        assert tab.take("attempt_end")["why"] == "done"
        server.wait_for("held")
    assert waiting.stops == [STOPPED]


def test_a_robot_that_wakes_and_waits_for_a_person_says_so_and_ends_by_stop(
    server, awake, monkeypatch
):
    found = server.state.robot._trained
    arm = Waiting(found.arm)
    with monkeypatch.context() as patch:
        patch.setattr(server_state, "open_to_use", lambda *_: replace(found, arm=arm))
        server.post("/api/robot", {"run": awake, "again": True})
        assert told_and_stopped(server) == "asleep"
    assert arm.stops
    server.post("/api/robot", {"run": awake})
    server.wait_for("ready")
