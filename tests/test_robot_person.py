"""A person's words reach the server that they are for, and a stop whatever was edited."""

import socket
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from robot_bench import PERFECT

from rig.cli.main import main
from rig.errors import ConfigError, RobotError
from rig.robots import person
from rig.robots.build import build_server, simulate
from rig.robots.clock import SimulatedClock, SystemClock
from rig.robots.drivers import load_robot
from rig.robots.person import say, stop
from rig.robots.read_config import read_config
from rig.robots.serve_loop import END_HOLD_S, ServeLoop
from rig.robots.server import RobotServer
from rig.robots.sockets import Sockets


@pytest.fixture(autouse=True)
def places(monkeypatch):
    """Directories of no other server of this machine: a test must not stop those."""
    with tempfile.TemporaryDirectory() as base:
        found = [Path(base) / "here", Path(base) / "there"]
        monkeypatch.setattr(person, "directories", lambda: found)
        yield found


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "robot.toml")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def write(path, port=None):
    port = free_port() if port is None else port
    path.write_text(f"{PERFECT.read_text()}\n[wire]\nport = {port}\n")
    return path


@contextmanager
def served(path):
    """Runs the server of a file in a thread, in simulated time."""
    config = read_config(path)
    simulation, sockets, is_over = simulate(config), Sockets(config), []
    simulation.run(0.3)
    loop = ServeLoop(simulation.server, sockets, lambda _: None)
    thread = threading.Thread(target=loop.run_simulated, args=(simulation, is_over))
    thread.start()
    try:
        yield simulation.server
    finally:
        is_over.append(True)
        thread.join()
        sockets.close()


def test_a_server_that_should_end_waits_for_no_key_that_is_not_held(tmp_path):
    file = write(tmp_path / "robot.toml")
    config = read_config(file)
    config = replace(config, session=replace(config.session, hold_to_run=True))
    sockets, clock = Sockets(config), SimulatedClock()
    server = build_server(config, clock, load_robot(config))
    loop = ServeLoop(server, sockets, lambda _: None)
    loop._listen_until = lambda deadline_s: clock.advance(deadline_s - clock.now_s())
    modes = []

    def arm_then_let_go_then_end():
        if len(modes) < 5:
            server.person("held")
        if len(modes) == 3:
            server.person("arm")
        if len(modes) == 40:
            loop.end("it was asked to")
        modes.append(str(server.decision.mode))
        return RobotServer.tick(server)

    server.tick = arm_then_let_go_then_end
    loop.run()
    sockets.close()
    assert modes[39] == modes[-1] == "HOLD"
    assert clock.now_s() == pytest.approx(40 / 50 + END_HOLD_S, abs=0.1)


@pytest.fixture
def loop(file):
    """A server's loop that nobody runs."""
    sockets = Sockets(read_config(file))
    simulation = simulate(read_config(file))
    simulation.run(0.3)
    yield ServeLoop(simulation.server, sockets, lambda _: None)
    sockets.close()


@pytest.mark.parametrize(
    ("word", "age_s", "is_heard"),
    [("arm", 0.1, True), ("arm", 1.5, False), ("home", 1.5, False), ("stop", 1.5, True)],
)
def test_a_word_that_waited_too_long_moves_nothing(loop, word, age_s, is_heard):
    said = []
    loop.sockets.send_word = lambda _client, text: said.append(text)
    now_s = SystemClock().now_s() - age_s
    loop._hear(b"me", [word.encode(), b"", repr(now_s).encode()])
    mailbox = loop.server._mailbox
    assert (word in mailbox.words or mailbox.stop != "") == is_heard
    assert said == ([] if is_heard else [f"READY: {word} came too late: say it again"])


@pytest.mark.parametrize("time", [b"", b"soon", b"nan", b"1e300"])
def test_a_word_without_a_time_moves_nothing(loop, time):
    loop._hear(b"me", [b"arm", b"", time])
    assert not loop.server._mailbox.words


def test_a_stop_is_heard_by_a_server_that_is_always_late(loop):
    """An arm that takes a whole tick to read and write leaves no time for messages."""
    taken = []
    loop._take = taken.append
    loop.sockets.wait = lambda _timeout_ms: ["person"]
    loop._listen_until(loop.server.clock.now_s() - 1.0)
    assert taken == ["person"]


def test_a_stop_with_the_content_of_another_file_stops_both(tmp_path, file):
    other = write(tmp_path / "other.toml")
    with served(file) as one, served(other) as two:
        file.write_text(other.read_text())
        stop(file)
    assert one.decision.mode == two.decision.mode == "STOPPED"


@pytest.mark.parametrize("port", [None, 0])
def test_a_stop_reaches_the_server_after_the_file_was_edited(tmp_path, port):
    file = write(tmp_path / "robot.toml", port)
    with served(file) as server:
        assert say(read_config(file), "arm") == "MOVING"
        file.write_text(file.read_text().replace("[limits]", "[limits]\nspeed_m_s = 'fast'"))
        said = stop(file)
        assert "is not what its server read: every server of yours on this machine" in said
        assert "STOPPED: a person stopped the arm" in said
        assert server.decision.mode == "STOPPED"


def test_a_stop_with_the_port_of_another_robot_stops_both(tmp_path, file):
    other = write(tmp_path / "other.toml")
    with served(file) as one, served(other) as two:
        file.write_text(other.read_text() + "# edited\n")
        stop(file)
    assert one.decision.mode == two.decision.mode == "STOPPED"


def test_a_directory_that_is_not_mine_hides_no_server(file, places, monkeypatch):
    with served(file) as server:
        monkeypatch.setattr(person, "directories", lambda: [Path("/proc/1/fd/none"), *places])
        assert say(read_config(file), "arm") == "MOVING"
        assert stop(file) == "STOPPED: a person stopped the arm"
        assert server.decision.mode == "STOPPED"


def test_sockets_of_killed_servers_do_not_keep_a_stop(file, places):
    with served(file) as server:
        for index in range(3):
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(places[0] / f"robot-0-dead{index}"))
        assert len(person.sockets()) == 4
        assert stop(file) == "STOPPED: a person stopped the arm"
    assert server.decision.mode == "STOPPED"


def test_home_of_an_arm_that_is_not_armed_is_an_error(file, capsys):
    with served(file):
        assert main(["robot", "home", str(file)]) == 2
    assert "the arm stays, its server says READY" in capsys.readouterr().err


def test_a_hold_key_that_does_not_count_is_refused(file, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _self: True})())
    assert main(["robot", "hold", str(file)]) == 2
    assert "the arm moves without a key" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[wire\n", "[wire]\nport = 'x'\n", "wire = 1\n", None])
def test_a_file_that_names_no_port_stops_every_server(tmp_path, file, text):
    other = write(tmp_path / "other.toml")
    with served(file) as one, served(other) as two:
        file.unlink() if text is None else file.write_text(text)
        said = stop(file)
    assert f"{file} names no port: every server of yours on this machine was stopped" in said
    assert said.count("STOPPED: a person stopped the arm") == 2
    assert one.decision.mode == two.decision.mode == "STOPPED"


def test_a_stop_reaches_the_server_after_its_port_was_edited(file):
    with served(file) as server:
        assert "no server answers for" in stop(write(file))
    assert server.decision.mode == "STOPPED"


def test_a_stop_reaches_a_server_that_was_started_in_another_environment(file, places):
    with served(file) as server:
        places.reverse()
        assert stop(file) == "STOPPED: a person stopped the arm"
    assert server.decision.mode == "STOPPED"


def test_without_any_server_a_stop_says_what_to_do(file, places):
    places[0].mkdir(0o755)  # not looked into
    with pytest.raises(RobotError, match=r"no server answers for .* use the arm's switch"):
        stop(file)


def test_two_servers_can_not_share_the_way_of_the_person(tmp_path):
    file = write(tmp_path / "robot.toml", 0)
    with (
        served(file),
        pytest.raises(RobotError, match=r"a server of yours has .* end it first"),
    ):
        Sockets(read_config(file))
    with served(file) as server:  # once it has ended, another one may
        stop(file)
    assert server.decision.mode == "STOPPED"


def test_a_file_that_was_edited_since_arms_nothing(file):
    with served(file) as server:
        file.write_text(file.read_text() + "# note\n")
        assert "not armed: the file was changed" in say(read_config(file), "arm")
        assert say(read_config(file), "rest") == "READY"
        assert server.decision.mode == "READY"


@pytest.mark.parametrize("key", ["digest", "file"])
def test_no_file_says_of_itself_what_it_is(file, key):
    file.write_text(f'{key} = "x"\n{file.read_text()}')
    with pytest.raises(ConfigError, match=f"has no setting '{key}'"):
        read_config(file)


def test_a_refusal_to_arm_says_why_and_is_an_error(file, capsys):
    with served(file) as server:
        server.guard.calibration_problem = "another arm's calibration: calibrate it"
        assert main(["robot", "arm", str(file)]) == 2
        assert "not armed; its server says READY: another arm's" in capsys.readouterr().err
        server.guard.calibration_problem = ""
        assert main(["robot", "arm", str(file)]) == 0
        assert capsys.readouterr().out == "MOVING\n"
