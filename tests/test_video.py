import av
import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

from rig.cli.main import main
from rig.external.env import ExternalEnv
from rig.external.vector_env import FRAMES_PER_S, frames_per_s
from rig.inference.reach import Attempt, summary
from rig.inference.video import attempt_frames, save_video


NUM_FRAMES = 6
GOAL_GREY, CAMERA_GREY, DECODED_GREY = 60, 120, 180


@pytest.fixture(params=[48, 84])
def attempt(request):
    size = request.param
    image = np.full((size, size, 3), GOAL_GREY, np.uint8)
    steps = np.arange(NUM_FRAMES, dtype=np.uint8)[:, None, None, None]
    return Attempt(
        goal_image=image,
        images=np.full((NUM_FRAMES, size, size, 3), CAMERA_GREY, np.uint8) + steps,
        decoded=np.full((NUM_FRAMES, size, size, 3), DECODED_GREY, np.uint8) + steps,
        latent_distances=np.linspace(3, 1, NUM_FRAMES, dtype=np.float32),
        distances={"hand_m": np.linspace(0.2, 0.01, NUM_FRAMES)},
    )


def test_frame_shows_goal_camera_and_decoded_in_this_order(attempt):
    frame = np.asarray(attempt_frames(attempt)[3])
    middle = frame[frame.shape[0] // 2, :, 0]
    shown = [int(grey) for grey in dict.fromkeys(middle) if grey < 255]
    assert shown == [GOAL_GREY, CAMERA_GREY + 3, DECODED_GREY + 3]


def test_last_frame_stays_for_a_second(attempt):
    frames = attempt_frames(attempt)
    assert len(frames) == NUM_FRAMES + round(1 / attempt.step_s)
    assert frames[-1] == frames[NUM_FRAMES - 1]


def test_mp4_is_h264_that_browsers_play(attempt, tmp_path):
    frames = attempt_frames(attempt)
    save_video(tmp_path / "reach.mp4", frames)
    with av.open(str(tmp_path / "reach.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == frames[0].size
        assert stream.average_rate == 10
        assert sum(1 for _ in container.decode(stream)) == len(frames)


def test_sizes_are_even_as_yuv420p_needs(attempt):
    assert all(length % 2 == 0 for length in attempt_frames(attempt)[0].size)


def test_index_comes_first_so_that_a_video_plays_at_once(attempt, tmp_path):
    save_video(tmp_path / "reach.mp4", attempt_frames(attempt))
    content = (tmp_path / "reach.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_gif_is_animated_in_real_time(attempt, tmp_path):
    save_video(tmp_path / "reach.gif", attempt_frames(attempt))
    with Image.open(tmp_path / "reach.gif") as gif:
        assert gif.n_frames == NUM_FRAMES
        assert gif.info["duration"] == 100


def test_gif_has_the_colours_of_every_attempt(tmp_path):
    colours = [(200, 30, 30)] * 50 + [(30, 200, 30)] * 50 + [(30, 30, 200)] * 10
    save_video(tmp_path / "attempts.gif", [Image.new("RGB", (8, 6), each) for each in colours])
    with Image.open(tmp_path / "attempts.gif") as gif:
        shown = []
        for index in range(gif.n_frames):
            gif.seek(index)
            shown.append(gif.convert("RGB").getpixel((4, 3)))
    assert shown == list(dict.fromkeys(colours))


def test_summary_has_the_distances_at_the_start_and_at_the_end(attempt):
    summed = summary("Reach", attempt)
    assert summed["num_steps"] == NUM_FRAMES - 1
    assert summed["latent_distance"] == {"start": 3, "end": 1}
    assert summed["distances"] == {"hand_m": {"start": 0.2, "end": 0.01}}


@pytest.mark.parametrize("step_s", [0.5, 0.08, 0.04])
def test_video_is_as_fast_as_the_robot(attempt, tmp_path, step_s):
    frames = attempt_frames(attempt)
    save_video(tmp_path / "fast.mp4", frames, step_s=step_s)
    with av.open(str(tmp_path / "fast.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(1 / step_s)
    save_video(tmp_path / "fast.gif", frames, step_s=step_s)
    with Image.open(tmp_path / "fast.gif") as gif:
        assert gif.info["duration"] == round(1000 * step_s)


def test_gif_of_very_fast_steps_shows_some_of_them(tmp_path):
    frames = [Image.new("RGB", (8, 6), (10 * index, 0, 0)) for index in range(20)]
    save_video(tmp_path / "fast.gif", frames, step_s=0.002)
    with Image.open(tmp_path / "fast.gif") as gif:
        assert (gif.n_frames, gif.info["duration"]) == (2, 20)


class Timed(gymnasium.Env):
    """An environment whose steps are 0.04 s long, as only ``dt`` says."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Box(-1, 1, (1,), np.float32)
    dt = 0.04

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, False, False, {}

    def render(self):
        return np.full((60, 60, 3), 77, np.uint8)


@pytest.mark.parametrize(
    ("declared", "dt", "expected"),
    [
        (None, 0.04, 25),
        (None, np.float64(0.05), 20),
        (30, 0.04, 30),
        (None, np.float32(0.5), 2),
        (None, 1, 1),
        (None, None, FRAMES_PER_S),
        (None, 0.0, FRAMES_PER_S),
        (0, "unknown", FRAMES_PER_S),
    ],
)
def test_an_environments_frame_rate_is_declared_or_else_by_its_dt(declared, dt, expected):
    env = Timed()
    env.metadata, env.dt = {"render_fps": declared}, dt
    assert frames_per_s(ExternalEnv(env, num_steps=4)) == pytest.approx(expected)


def test_video_of_a_look_is_as_fast_as_the_environment(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rig.inference.video.NUM_LOOK_STEPS", 4)
    gymnasium.register("Timed-v0", Timed, max_episode_steps=4)
    try:
        assert main(["look", "--env", "Timed-v0", "--video"]) == 0
    finally:
        del gymnasium.registry["Timed-v0"]
    assert capsys.readouterr().out == "Timed-v0.mp4\n"
    with av.open("Timed-v0.mp4") as container:
        assert container.streams.video[0].average_rate == 25
