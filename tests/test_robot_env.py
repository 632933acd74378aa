"""A robot as an environment of one: what is learned from, what is kept, and who is asked."""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rig.cli.main import main
from rig.config import Config, PracticeConfig, seconds_of
from rig.envs.image_goal_env import Goals
from rig.errors import ConfigError, DivergedError, RobotError, StoppedError
from rig.presets import find_preset
from rig.robot_check.motion import half_time, shift_px
from rig.robot_check.procedure import Check
from rig.robot_check.result import Report, Result, fresh_report, read_report, write_report
from rig.robot_env.connection import Connection
from rig.robot_env.drive import MOST_DRIVES
from rig.robot_env.nothing_moved import has_moved, nothing_moved, wait_for_motion
from rig.robot_env.vector_env import RobotVectorEnv
from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.local_link import LocalLink
from rig.robots.read_config import read_config
from rig.runs.interrupt import uninterrupted
from rig.runs.run import Run
from rig.serve.arm import Arm
from rig.training.kept_episodes import KeptEpisodes
from rig.training.loop import train
from rig.training.progress import PlainProgress
from rig.training.robot_practice import begin_practice
from rig.training.robot_report import report_of
from rig.training.rollout import collect_rollouts


PAGE = "examples/robots/perfect.toml"
NUM_STEPS = 4


class Bench:
    """A perfect arm behind its server, in simulated time, and the person next to it."""

    def __init__(self, config=None):
        self.simulation = simulate(config or read_config(PAGE))
        self.said = []
        self.is_gone = False
        self.paused_s = 0.0
        self.person("arm")

    def person(self, word):
        self.simulation.server.person(word)
        self.simulation.run(0.1)

    def open_client(self):
        if self.is_gone:
            raise RobotError("no answer")
        link = LocalLink(self.simulation)
        request = link.request
        link.request = lambda *args: self.cut() if self.is_gone else request(*args)
        return RobotClient(link)

    def now_s(self):
        return self.simulation.server.clock.now_s() + self.paused_s

    def pause(self, duration_s):
        self.paused_s += duration_s

    def cut(self):
        raise RobotError("no answer")

    def hear(self, text):
        """Do what is asked for, as a person would."""
        self.said.append(text)
        if "has the lease" in text:
            self.simulation.run(6.0)
        for word in ("clear", "arm"):
            if f"`rig robot {word} CONFIG.toml`" in text:
                self.person(word)

    def env(self, wait_s=20.0, **options):
        connection = Connection(
            self.open_client, self.hear, wait_s=wait_s, clock=self, pause=self.pause
        )
        settings = {"num_steps": NUM_STEPS, "image_size": 48, "settle": False} | options
        return RobotVectorEnv(connection, "robot/perfect", **settings)


@pytest.fixture
def bench():
    return Bench()


def action(*numbers):
    return np.array([numbers], np.float32)


def test_an_episode_begins_at_home_and_ends_there(bench):
    env = bench.env()
    home = env.reset()[1]["state"]
    np.testing.assert_allclose(home, [[0.24, 0.0, 0.05]], atol=1e-3)
    for index in range(NUM_STEPS):
        observation, _, terminated, truncated, info = env.step(action(1.0, 0.0, 0.0))
        assert truncated == (index == NUM_STEPS - 1)
        assert not terminated
    assert observation["observation"].shape == (1, 48, 48, 3)
    assert info["state"][0, 0] > 0.25
    np.testing.assert_allclose(env.reset()[1]["state"], home, atol=1e-3)


def test_the_arm_goes_home_by_itself_after_the_last_step(bench):
    env = bench.env()
    env.reset()
    for _ in range(NUM_STEPS):
        env.step(action(1.0, 0.0, 0.0))
    assert bench.simulation.server.decision.doing == "homing", "the learner may be busy now"
    bench.simulation.run(5.0)
    assert bench.simulation.server.decision.doing == "idle"


def test_an_action_that_is_not_finite_is_never_sent(bench):
    env = bench.env()
    env.reset()
    with pytest.raises(DivergedError, match="not finite"):
        env.step(action(np.nan, 0.0, 0.0))
    assert bench.simulation.server.decision.mode != "STOPPED"


def test_long_episodes_are_refused():
    with pytest.raises(ConfigError, match="1 to 100 steps, got 101"):
        Bench().env(num_steps=101)


class Stopper:
    """Acts, and lets a person stop the arm at some steps of the whole."""

    def __init__(self, bench, stops):
        self.bench, self.stops, self.num = bench, stops, 0

    def __call__(self, frames, goals):
        from rig.types import Encoding

        if self.num in self.stops:
            self.bench.person("stop")
        self.num += 1
        latent = frames.reshape(1, -1)[:, :2].astype(np.float32)
        return action(0.5, 0.0, 0.0), Encoding(latent=latent, log_std=latent)


@pytest.mark.parametrize(
    ("stops", "lengths"), [((), [4]), ((2,), [1]), ((0,), [3]), ((3,), []), ((1, 3), [1])]
)
def test_nothing_of_a_spoiled_episode_is_learned_from(bench, stops, lengths, rng):
    """A stop at step 2 spoils steps 0 to 2; the rest of the rollout is another episode."""
    from rig.agent.explore import Noise
    from rig.config import ExploreConfig

    env = bench.env()
    noise = Noise(1, 3, ExploreConfig(sigma=0.0))
    goals = [np.zeros((1, 2), np.float32)]
    episodes = collect_rollouts(env, Stopper(bench, stops), goals, noise, 4, rng=rng)
    assert episodes.num_steps.tolist() == lengths
    assert len(episodes.frames) == len(episodes.encoding.latent) == sum(lengths) + len(lengths)
    assert len(episodes.actions) == sum(lengths)
    assert env.num_spoiled == len(stops)
    assert any("clear" in text for text in bench.said) == (min(stops, default=3) < 3)


def test_a_server_that_was_gone_spoils_the_episode_and_is_waited_for(bench):
    env = bench.env()
    env.reset()
    bench.is_gone = True
    *_, truncated, info = env.step(action(1.0, 0.0, 0.0))
    assert truncated
    assert info["spoiled"]
    bench.is_gone = False
    env.reset()
    assert any("again" in text for text in bench.said)


def test_an_arm_that_still_acts_for_a_client_that_was_cut_off_goes_home(bench):
    env = bench.env()
    env.reset()
    env.step(action(1, 0, 0))  # and the answer is the last that this client sees
    env.reset()
    bench.simulation.server.lease.give_back()
    other = bench.env()
    other.reset()
    other.step(action(1, 0, 0))
    bench.simulation.server.lease.give_back()
    again = bench.env(wait_s=5.0)
    again.reset()
    assert bench.said == []


def test_arming_forgets_the_episode_that_a_stop_ended(bench):
    """A person took longer to look at the arm than an episode may take."""
    env = bench.env()
    env.reset()
    env.stop("a person wants to look")
    bench.simulation.run(bench.simulation.server.config.session.episode_s + 10)
    for word in ("clear", "arm"):
        bench.person(word)
    bench.simulation.run(5.0)
    env.reset()
    assert not any("rest pose" in line for line in bench.simulation.server.log)
    assert bench.said == []


def test_who_wants_the_arm_to_stop_is_heard_while_it_drives_home(bench):
    env = bench.env()
    env.reset()
    for _ in range(NUM_STEPS - 1):
        env.step(action(1, 1, 1))
    looks = []

    def stop_at_the_third_look():
        looks.append(bench.simulation.server.decision.doing)
        if len(looks) == 3:
            raise InterruptedError

    env.listen(bench.hear, stop_at_the_third_look)
    with pytest.raises(InterruptedError):
        env.reset()


def test_it_says_what_it_does_and_why_it_was_held(bench):
    env = bench.env()
    env.reset()
    env.step(action(1, 0, 0))
    assert env.status == "robot practises"
    bench.person("stop")
    env.step(action(1, 0, 0))
    assert env.status == ("robot goes home, 1 spoiled (last held: a person stopped the arm)")


def test_it_says_again_what_it_waits_for(bench, monkeypatch):
    monkeypatch.setattr("rig.robot_env.connection.REMIND_S", 1.0)
    env = bench.env(wait_s=3.0)
    bench.person("stop")
    said = []
    env.listen(said.append, lambda: None)
    with pytest.raises(RobotError):
        env.reset()
    assert [text[:22] for text in said] == [
        "the arm is STOPPED (a ", "waiting for 1 s: the a", "waiting for 2 s: the a",
    ]  # fmt: skip


def test_nobody_comes(bench):
    env = bench.env(wait_s=2.0)
    bench.person("stop")
    env.listen(bench.said.append, lambda: None)
    with pytest.raises(RobotError, match=r"waited 2 s for the robot: the arm is STOPPED"):
        env.reset()


def test_a_server_that_is_gone_is_waited_for_as_long_as_it_says(bench):
    env = bench.env(wait_s=20.0)
    env.reset()
    bench.is_gone = True
    env.step(action(1, 0, 0))
    with pytest.raises(RobotError, match="waited 20 s for the robot: waiting for the robot's"):
        env.reset()
    assert 20.0 <= bench.paused_s <= 21.0


def test_the_lease_of_a_killed_client_is_waited_for_as_long_as_it_may_last(bench):
    text = "refused 'hello': a learner has the lease and was heard 1 s ago"

    def refuse():
        raise RobotError(text)

    with pytest.raises(RobotError, match="has the lease"):
        Connection(refuse, bench.hear, lease_s=60.0, clock=bench, pause=bench.pause)
    assert bench.now_s() > 60.0


def test_a_signal_ends_the_wait_for_a_person(bench):
    from rig.errors import StoppedError
    from rig.runs.interrupt import Interrupt

    env, interrupt = bench.env(), Interrupt(print, "resume")
    bench.person("stop")
    env.listen(lambda _text: interrupt.request_stop(), interrupt.check_while_waiting)
    with pytest.raises(StoppedError), interrupt.deferred():
        env.reset()


def test_a_goal_is_a_photograph_from_where_the_arm_was_driven(bench, rng):
    env = bench.env()
    goals = env.goals(2, rng=rng)
    config = read_config(PAGE)
    assert goals.images.shape == (2, 48, 48, 3)
    assert (goals.states >= np.array(config.limits.box_low_m) - 0.005).all()
    assert (goals.states <= np.array(config.limits.box_high_m) + 0.005).all()
    assert np.ptp(goals.states, axis=0).max() > 0.01
    info = env.reset(options=goals.rows(slice(1)).options())[1]
    offset_m = np.linalg.norm(np.array([0.24, 0.0, 0.05]) - goals.states[0])
    assert info["hand_distance_m"] == pytest.approx(offset_m, abs=2e-3)


def test_a_photograph_of_a_person_is_measured_in_levels(bench):
    env = bench.env()
    images = env.reset()[0]["observation"]
    goals = Goals(images=images, states=np.full((1, 3), np.nan), seeds=np.zeros(1, np.int64))
    info = env.reset(options=goals.options())[1]
    assert "hand_distance_m" not in info
    assert info["image_distance_levels"] < 3


def test_a_robot_s_preset_is_one_robot_that_sees_84_pixels():
    config = find_preset("fast", "robot/perfect", is_real_robot=True)
    assert (config.num_envs, config.image_size) == (1, 84)
    assert config.practice.delay == "settle"
    with pytest.raises(ConfigError, match="--num-envs must be 1"):
        replace(config, robot=PAGE, num_envs=2)


@pytest.mark.parametrize(("text", "seconds"), [("90min", 5400), ("1h30min", 5400), ("45s", 45)])
def test_a_time_budget_has_units(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["90", "2 hours", "0min"])
def test_a_time_budget_without_units_is_refused(text):
    with pytest.raises(ConfigError, match="must be as 90min, 2h or 1h30min"):
        Config(time_budget=text)


@pytest.fixture
def robot_run(tiny, tmp_path, bench, monkeypatch):
    """Makes a run on the bench's robot."""
    config = replace(
        tiny,
        robot=PAGE,
        task="robot/perfect",
        num_envs=1,
        total_timesteps=40,
        collect=replace(tiny.collect, num_images=12),
        checkpoint=replace(tiny.checkpoint, every_steps=1000),
        evaluate=replace(tiny.evaluate, every_steps=1000),
        online=replace(tiny.online, every_steps=0),
    )
    monkeypatch.setattr(
        "rig.training.make_envs.open_robot", lambda config, image_size: bench.env()
    )
    return Run.create(tmp_path / "run", config, {})


def trained(run, note=lambda _line: None):
    return train(run.config, run, PlainProgress(note))


@pytest.mark.slow
def test_a_killed_learner_loses_no_episode(robot_run, monkeypatch):
    """Killed after an episode that no checkpoint has: the next one learns from it too."""

    def killed(num, *_):
        if num == 28:
            raise KeyboardInterrupt

    keep = KeptEpisodes.keep
    monkeypatch.setattr(
        KeptEpisodes, "keep", lambda self, e, num: (keep(self, e, num), killed(num))[0]
    )
    with pytest.raises(KeyboardInterrupt):
        trained(robot_run)
    monkeypatch.setattr(KeptEpisodes, "keep", keep)
    before = {path.name for path in (robot_run.directory / "episodes").iterdir()}
    trained(robot_run)
    after = {path.name for path in (robot_run.directory / "episodes").iterdir()}
    assert before < after
    steps = [steps for steps, _ in KeptEpisodes(robot_run).practised_after(0)]
    assert steps == [*range(steps[0], 40, 4), 40], "each kept as it ended, and none done twice"
    assert robot_run.is_finished


@pytest.mark.slow
def test_a_time_budget_ends_a_run_as_usual(robot_run):
    robot_run.config = replace(robot_run.config, time_budget="0.001s")
    trained(robot_run)
    assert robot_run.is_finished
    assert KeptEpisodes(robot_run).collected() is not None
    assert not list(KeptEpisodes(robot_run).practised_after(0))


def block(row, level=200, size=48):
    image = np.full((size, size, 3), 100, np.uint8)
    image[row : row + 6, 6:12] = level
    return image


def test_a_moved_thing_is_seen_and_light_is_not(rng):
    noise = rng.integers(-3, 4, (48, 48, 3))
    assert not has_moved(block(6), (block(6) + noise).astype(np.uint8))
    assert not has_moved(block(6), block(6) + np.uint8(20))
    assert has_moved(block(6), block(18))


def test_a_person_is_asked_when_nothing_moves(bench):
    env = bench.env()
    env.home_images = [block(6)] * 4
    assert not nothing_moved(env.home_images, 4)
    assert nothing_moved(env.home_images, 3)
    looks = iter([None, block(6), block(18)])
    env.look_at_home = lambda: next(looks)
    wait_for_motion(env, 3, bench.said.append)
    assert "nothing has moved for 3 episodes" in bench.said[-1]
    assert next(looks, "all used") == "all used"
    wait_for_motion(env, 3, bench.said.append)
    assert len(bench.said) == 1


def test_half_way_is_found_between_samples():
    time_s = np.arange(5.0)
    assert half_time(time_s, np.array([0, 0, 1, 3, 4.0])) == pytest.approx(2.5)
    assert np.isnan(half_time(time_s, np.zeros(5)))


def test_a_shift_is_measured_below_a_pixel():
    rows = np.linspace(0, 20, 48)
    image = 128 + 60 * np.sin(rows)[:, None, None] * np.ones((1, 48, 3))
    shifted = 128 + 60 * np.sin(rows - 0.4 * (rows[1] - rows[0]))[:, None, None]
    shifted = shifted * np.ones((1, 48, 3))
    everywhere = np.ones((48, 48), bool)
    found = shift_px(
        image.round().astype(np.uint8), shifted.round().astype(np.uint8), everywhere
    )
    assert found == pytest.approx(0.4, abs=0.1)


class Nearby:
    """A person who does what a check asks for."""

    def __init__(self, bench):
        self.bench, self.asked = bench, []

    def ask(self, text):
        self.asked.append(text)

    def say(self, word):
        self.bench.simulation.server.person(word)
        self.bench.simulation.run(0.04)


@pytest.mark.slow
def test_a_check_measures_and_proves_the_stop():
    bench = Bench()
    bench.person("rest")
    person = Nearby(bench)
    results = list(Check(bench.open_client(), read_config(PAGE), person).run())
    report = Report("digest", "2026-01-01T00:00:00+00:00", results)
    assert report.is_right, [result.text for result in results]
    assert [result.name for result in results][-1] == "stop"
    assert report.value("arm_delay_s") < 0.1
    assert report.delay_steps(0.1) >= 1
    assert len(person.asked) == 3


def check_of(bench, config=None):
    """The check of an armed arm."""
    client = bench.open_client()
    client.wait_until_idle()
    return Check(client, config or read_config(PAGE), Nearby(bench))


def test_a_camera_that_does_not_see_the_arm_is_found():
    config = read_config(PAGE)
    config = replace(config, camera=replace(config.camera, crop_px=(0, 76, 8, 8)))
    result = check_of(Bench(config), config).homing()
    assert not result.is_right
    assert result.text == "the camera does not see the arm move: see camera.crop_px"


def test_an_image_that_never_changes_has_no_delay(monkeypatch):
    monkeypatch.setattr("rig.robot_check.procedure.NUM_WIGGLES", 1)
    monkeypatch.setattr("rig.robot_check.motion.image_progress", lambda images: np.zeros(12))
    result = check_of(Bench()).wiggle()
    assert not result.is_right
    assert "does not see the arm move" in result.text
    assert np.isnan(result.values["image_delay_s"])


def test_an_arm_that_moves_on_after_a_stop_is_found(monkeypatch):
    bench = Bench()
    robot, server = bench.simulation.server.arm.robot, bench.simulation.server
    send, advance = robot.send_action, robot.advance

    def runs_away(duration_s):
        advance(duration_s)
        robot.joints[0] += 2.0 * duration_s if server.decision.mode == "STOPPED" else 0.0

    monkeypatch.setattr(robot, "advance", runs_away)
    monkeypatch.setattr(
        robot, "send_action", lambda sent: server.decision.mode == "STOPPED" or send(sent)
    )
    result = check_of(bench).stopping()
    assert not result.is_right
    assert "mm when stopped: do not use this robot" in result.text


def test_a_stop_proves_nothing_of_an_arm_that_did_not_move():
    bench = Bench()
    check = check_of(bench)
    bench.person("rest")
    result = check.stopping()
    assert not result.is_right
    assert "was not moving (READY): check again" in result.text


class Key:
    """A hold-to-run key: said ten times a second while it is held, as `rig robot hold` does."""

    LATER = 40
    """Ticks from when a person is asked to let it go until it is let go."""

    def __init__(self, bench, is_stuck=False):
        self.bench, self.is_stuck = bench, is_stuck
        self.is_held, self.left, self.ticks = True, -1, 0
        tick = bench.simulation.tick
        bench.simulation.tick = lambda: self.before(tick)

    def before(self, tick):
        self.ticks += 1
        self.left -= 1
        if self.left == 0 and not self.is_stuck:
            self.is_held = False
        if self.is_held and self.ticks % 5 == 0:
            self.bench.simulation.server.person("held")
        return tick()

    def asked(self, text):
        if "let it go" in text:
            self.is_held, self.left = True, self.LATER
        elif "hold-to-run key" in text:
            self.is_held, self.left = True, -1


class NearbyWithKey(Nearby):
    def __init__(self, bench, **options):
        super().__init__(bench)
        self.key = Key(bench, **options)

    def ask(self, text):
        super().ask(text)
        self.key.asked(text)


def released(monkeypatch, **options):
    config = read_config(PAGE)
    config = replace(config, session=replace(config.session, hold_to_run=True))
    monkeypatch.setattr("rig.robot_check.procedure.MAX_RELEASE_STEPS", 10)
    bench = Bench(config)
    person = NearbyWithKey(bench, **options)
    bench.simulation.run(0.2)
    bench.person("arm")
    client = bench.open_client()
    client.wait_until_idle()
    return Check(client, config, person).releasing()


def test_the_arm_holds_when_the_key_is_let_go(monkeypatch):
    result = released(monkeypatch)
    assert result.is_right, result.text
    assert result.values["hold_steps"] >= 1
    assert "hold-to-run key is not held" in result.text


def test_a_key_that_sticks_is_found(monkeypatch):
    result = released(monkeypatch, is_stuck=True)
    assert not result.is_right
    assert "moved on without the key" in result.text


def test_a_key_that_no_program_passes_on_is_found(monkeypatch):
    monkeypatch.setattr(Key, "before", lambda _self, tick: tick())
    result = released(monkeypatch)
    assert not result.is_right
    assert "did not move with the key held" in result.text


def test_a_check_stops_before_the_first_motion_if_the_camera_is_wrong(monkeypatch):
    bench = Bench()
    check = Check(bench.open_client(), replace(read_config(PAGE)), Nearby(bench))
    monkeypatch.setattr("rig.robot_check.at_rest.RATE_SHARE", 10.0)
    results = list(check.run())
    assert [result.is_right for result in results] == [True, False]


def test_only_a_fresh_report_of_the_same_file_allows_practice(tmp_path):
    from datetime import datetime, timedelta

    path, config = tmp_path / "arm.toml", read_config(PAGE)
    now = datetime.now().astimezone()
    right, wrong = Result("stop", True, "stops"), Result("stop", False, "does not stop")
    unseen = Result("homing", True, "three homings", {"home_px": float("nan")})
    check = partial(fresh_report, path, config)
    with pytest.raises(RobotError, match="never checked"):
        check()
    cases = {
        "h old": Report(config.digest, (now - timedelta(hours=25)).isoformat(), [right]),
        "another content": Report("other", now.isoformat(), [right]),
        r"something wrong \(stop\)": Report(config.digest, now.isoformat(), [wrong]),
        "could not measure home_px": Report(config.digest, now.isoformat(), [unseen, right]),
    }
    for message, report in cases.items():
        write_report(path.with_suffix(".check.json"), report)
        with pytest.raises(RobotError, match=message):
            check()
    report = Report(config.digest, now.isoformat(), [right])
    damaged = {
        "null": None,
        "text": "x",
        "no results": asdict(report) | {"results": []},
        "no date": asdict(report) | {"date": "yesterday"},
        "no zone": asdict(report) | {"date": now.replace(tzinfo=None).isoformat()},
        "no time": asdict(report) | {"date": None},
        "no number": asdict(report)
        | {"results": [asdict(right) | {"values": {"home_px": "1"}}]},
    }
    for about in damaged.values():
        path.with_suffix(".check.json").write_text(json.dumps(about))
        with pytest.raises(RobotError, match="can't be read"):
            check()
    write_report(path.with_suffix(".check.json"), report)
    assert check() == read_report(path.with_suffix(".check.json"))
    assert "may practise" in path.with_suffix(".check.html").read_text()


def test_a_server_of_another_content_may_not_practise(tmp_path, bench):
    path = tmp_path / "arm.toml"
    path.write_text(Path(PAGE).read_text())
    robot = bench.open_client().robot
    assert robot.is_simulated_time
    assert report_of(str(path), robot) is None
    path.write_text(path.read_text() + "# edited\n")
    with pytest.raises(RobotError, match="was changed since its server read it"):
        report_of(str(path), robot)


@pytest.mark.parametrize(
    ("steps", "error"),
    [(500, "1 to 100 steps"), (0, "no server answers")],
    ids=["long", "gone"],
)
def test_a_refused_run_leaves_no_directory(tmp_path, steps, error, bench, monkeypatch, capsys):
    def connect(_path):
        if not steps:
            raise RobotError("no server answers")
        return Connection(bench.open_client, bench.hear)

    monkeypatch.setattr("rig.robot_env.open_robot.connect", connect)
    words = ["train", "--robot", str(PAGE), "--out", str(tmp_path / "run")]
    words += ["--episode-steps", str(steps)] if steps else []
    assert main(words) == 2
    assert error in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert not bench.simulation.server.lease.token


def test_practice_settings_are_checked():
    with pytest.raises(ConfigError, match="num_stacked"):
        PracticeConfig(num_stacked=0)


def stacked_env(bench, num=2):
    from rig.representation.stacked_actions import StackedObservation

    return StackedObservation(bench.env(), num)


def test_frames_hold_the_last_actions_the_newest_last(bench):
    from rig.representation.stacked_actions import unpack

    envs = stacked_env(bench)
    seen = [unpack(envs.reset()[0]["observation"], 6)]
    for number in (0.5, -0.25, 0.125):
        seen.append(unpack(envs.step(action(number, 0.0, 1.0))[0]["observation"], 6))
    images, actions = zip(*seen, strict=True)
    assert images[0].shape == (1, 48, 48, 3)
    expected = [
        [0] * 6,
        [0, 0, 0, 0.5, 0, 1],
        [0.5, 0, 1, -0.25, 0, 1],
        [-0.25, 0, 1, 0.125, 0, 1],
    ]
    np.testing.assert_array_equal(np.concatenate(actions), np.array(expected, np.float32))
    again = unpack(envs.reset(options={"reset_mask": np.array([True])})[0]["observation"], 6)
    assert not again[1].any(), "an episode begins without a past"


def test_stacking_is_for_robots():
    with pytest.raises(ConfigError, match="stack is for --robot"):
        Config(practice=PracticeConfig(delay="stack"))


@pytest.mark.slow
def test_a_run_with_stacked_actions_learns_and_resumes(robot_run, monkeypatch, bench):
    practice = PracticeConfig(delay="stack", num_stacked=2, action_size=3)
    robot_run.config = replace(robot_run.config, practice=practice)
    agent = trained(robot_run)
    representation = agent.representation
    goals = representation.imagine(5, rng=np.random.default_rng(0))
    assert goals.shape == (5, 2 + 6)
    assert not goals[:, 2:].any()
    assert not representation.weight[2:].any()
    from rig.agent.agent import load_agent

    loaded = load_agent(robot_run.policy, robot_run.config).representation
    np.testing.assert_array_equal(loaded.weight, representation.weight)
    arm = Arm(robot_run)  # on the page
    seen = arm.begin(None, is_reset=True)
    assert seen.image.shape == (48, 48, 3)
    latent = representation.encode(seen.image[None]).latent
    moved, encoding = agent.act(seen.frame[None], latent, use_target_actor=True)
    np.testing.assert_array_equal(encoding.latent[0, 2:], 0)
    _, encoding = agent.act(arm.step(moved).frame[None], latent, use_target_actor=True)
    np.testing.assert_array_equal(encoding.latent[0, -3:], moved[0])


def test_what_a_caller_writes_to_changes_nothing_that_is_kept(bench):
    env = bench.env()
    goal = env.goals(1, rng=np.random.default_rng(0))
    observation, info = env.reset(options=goal.options())
    before = env.home_images[-1].copy(), info["goal_state"].copy()
    observation["observation"][:] = 0
    info["goal_state"][:] = 9
    np.testing.assert_array_equal(env.home_images[-1], before[0])
    np.testing.assert_array_equal(env.step(action(0, 0))[-1]["goal_state"], before[1])
    assert env.step(action(0, 0))[0]["observation"].any()
    env.close()


def test_random_start_drives_to_a_place_of_the_box_and_a_goal_begins_at_home(bench):
    env = bench.env(settle=True)
    env.random_start = True
    low, high = np.array(env.robot.box_low_m), np.array(env.robot.box_high_m)
    starts = np.concatenate([env.reset(seed=seed)[1]["state"] for seed in (1, 2, 1)])
    tolerance_m = 0.01
    assert np.all((starts > low - tolerance_m) & (starts < high + tolerance_m))
    assert np.linalg.norm(starts[0] - starts[1]) > 0.03
    assert np.linalg.norm(starts[0] - starts[2]) < tolerance_m
    of_home, again = np.float64(env.home_images[:2])
    assert np.abs(of_home - again).max() < 10  # not of the random places: levels of noise
    goal = env.goals(1, rng=np.random.default_rng(0))
    home = env.reset(options=goal.options())[1]["state"]
    np.testing.assert_allclose(home, [[0.24, 0.0, 0.05]], atol=1e-3)


def test_random_start_tries_again_after_a_hold(bench, monkeypatch):
    env = bench.env(settle=True)
    env.random_start = True
    tried = []
    drive_to = env.drive_to

    def drive(target_m):
        tried.append(target_m)
        return len(tried) > 1 and drive_to(target_m)

    monkeypatch.setattr(env, "drive_to", drive)
    state = env.reset(seed=0)[1]["state"]
    assert len(tried) == 2
    np.testing.assert_allclose(state[0], tried[1], atol=0.01)
    assert env.status == "robot practises, 1 spoiled (last held: on the way to its start)"


def test_random_start_that_is_always_held_begins_at_home(bench, monkeypatch):
    env = bench.env(settle=True)
    env.random_start = True
    monkeypatch.setattr(env, "drive_to", lambda _target_m: False)
    np.testing.assert_allclose(env.reset(seed=0)[1]["state"], [[0.24, 0.0, 0.05]], atol=1e-3)


def test_a_photograph_is_given_up_when_each_drive_is_held(bench, monkeypatch, rng):
    env = bench.env(settle=True)
    tried = []
    monkeypatch.setattr(env, "drive_to", lambda target_m: tried.append(target_m))
    with pytest.raises(RobotError, match=r"held 5 times on its way to \[.*what holds it there"):
        env.goals(2, rng=rng)
    assert len(tried) == MOST_DRIVES
    assert env.status == "robot goes home"
    assert not np.ptp(tried, axis=0).any()  # the same place each time


def test_a_drive_that_a_person_ends_is_held(bench):
    env = bench.env(settle=True)
    env.reset()
    bench.person("rest")
    assert not env.drive_to(np.array([0.2, 0.05, 0.05]))


def test_a_drive_hears_a_signal(bench):
    env = bench.env(settle=True)
    env.reset()

    def check():
        raise StoppedError("by a signal", 130)

    env.listen(bench.hear, check)
    with pytest.raises(StoppedError):
        env.drive_to(np.array([0.2, 0.05, 0.05]))


def test_only_practice_starts_at_random(bench):
    """``rig reach`` with a photograph has no goal that the environment knows."""
    env = bench.env(settle=True)
    config = Config(
        task="robot/perfect", robot="robot.toml", num_envs=1,
        practice=PracticeConfig(random_start=True),
    )  # fmt: skip
    assert not env.random_start
    begin_practice(config, env, uninterrupted(), PlainProgress(print))
    assert env.random_start


def test_random_start_is_for_robots():
    with pytest.raises(ConfigError, match="random-start is for --robot"):
        Config(practice=PracticeConfig(random_start=True))
