"""A robot behind a server as a vector environment of one: images in, actions out.

After each episode the arm goes home by itself, while the caller learns. An episode that met a
hold, a stop, a stale image or a server that was gone is *spoiled*: it ends there, and its
frames must not be learned from (``info["spoiled"]``).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, Float64, UInt8

from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv, rms
from rig.envs.square_crop import crop_square
from rig.errors import ConfigError, DivergedError, RobotError
from rig.robot_env.connection import LOOK_S, Connection, Say
from rig.robot_env.drive import MOST_DRIVES, about_held, drive, position_m
from rig.robots.client import RobotState


AXES = "xyz"
LONGEST_EPISODE = 100
"""Learning happens between episodes: in the middle of one the arm would be held."""
Info = dict[str, Any]
Observation = dict[str, np.ndarray]


class RobotVectorEnv(ImageGoalVectorEnv):
    """One robot. The tool's measured position is in ``info``, to measure only."""

    num_envs = 1
    max_probes = 0
    random_start = False
    """Drive to a random place before each episode without a goal; practice may ask for it."""
    _goals: Goals | None = None
    _state: RobotState | None = None
    _num_done, _is_spoiled, _is_moving_home = 0, False, False
    _why_spoiled = ""

    def __init__(
        self,
        connection: Connection,
        name: str,
        num_steps: int,
        image_size: int,
        *,
        settle: bool,
    ) -> None:
        """Describe the robot; it does not move before the first reset.

        Args:
            connection: The way to its server.
            name: What runs call it.
            num_steps: Actions of an episode.
            image_size: Height and width of the images that are shown.
            settle: Wait after each action until the arm is at rest, then look.

        Raises:
            ConfigError: The episode is too long.
        """
        if not 1 <= num_steps <= LONGEST_EPISODE:
            raise ConfigError(
                f"a robot's episode has 1 to {LONGEST_EPISODE} steps, got {num_steps}: "
                "learning is between episodes, and the arm would be held in the middle of one"
            )
        self._connection, self._settle, self._image_size = connection, settle, image_size
        self.id, self.num_steps, self.robot = name, num_steps, connection.robot
        self.renderer = f"the camera of {connection.robot.type}"
        step_s, action_size = connection.robot.step_s, connection.robot.action_size
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_fps": 1 / step_s}
        self.state_names = tuple(f"hand_{AXES[axis]}" for axis in connection.robot.axes)
        self.state_units = ("m",) * len(self.state_names)
        image = spaces.Box(0, 255, (image_size, image_size, 3), np.uint8)
        self.single_observation_space = spaces.Dict(observation=image, desired_goal=image)
        self.single_action_space = spaces.Box(-1, 1, (action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, 1)
        self.action_space = batch_space(self.single_action_space, 1)
        self.num_spoiled = 0
        """Episodes spoiled since this object was made."""
        self.home_images: list[np.ndarray] = []
        """What the camera saw at the start of each of the last episodes."""

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Wait until the arm is at home, and begin an episode there or at a random place.

        Args:
            seed: Of the random places; else a real start has no seed.
            options: From :meth:`rig.envs.image_goal_env.Goals.options`: tried from home.

        Raises:
            RobotError: The arm needs a person, and nobody came.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        if options.pop("reset_mask", None) is None:
            self._goals = Goals.of_options(options) if options else None
        self._begin_at_home()
        self.home_images = [*self.home_images[-200:], self._image()]
        if self.random_start and self._goals is None:
            self._drive_somewhere(rng=self.np_random)
        return self._observe()

    def step(
        self, actions: Float32[np.ndarray, "1 action"]
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Take an action; the arm goes home by itself after the last one.

        Raises:
            DivergedError: The action is not finite; nothing is sent.
        """
        if not np.isfinite(actions).all():
            raise DivergedError(
                f"an action is not finite: {actions.tolist()}; check what computed it"
            )
        if not self.has_ended:
            self._act(actions[0])
        observation, info = self._observe()
        return observation, np.zeros(1), np.zeros(1, bool), np.array([self.has_ended]), info

    @property
    def has_ended(self) -> bool:
        """Whether the episode is over."""
        return self._is_spoiled or self._num_done >= self.num_steps

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Take photographs as goals: drive to random places of the box, and look.

        Raises:
            RobotError: The arm was held each time on the way to one.
        """
        taken = [self._photograph_somewhere(rng=rng) for _ in range(num)]
        images, states = (np.stack(part) for part in zip(*taken, strict=True))
        return Goals(images=images, states=states, seeds=np.zeros(num, np.int64))

    @property
    def columns(self) -> dict[str, slice]:
        """The hand's position is all that is measured."""
        return {"hand": slice(0, len(self.state_names))}

    def go_home(self) -> None:
        """Start homing, unless the arm is on its way already."""
        if not self._is_moving_home:
            self._connection.home()
        self._is_moving_home = True

    def stop(self, why: str) -> None:
        """Stop the arm; only a person at the robot can clear it."""
        self._connection.stop(why)

    def look_at_home(self) -> UInt8[np.ndarray, "H W 3"] | None:
        """Return what the camera sees half a second later, without moving."""
        state = self._connection.observe(LOOK_S)
        if state is None or state.image is None or state.doing != "idle":
            return None
        return crop_square(state.image, self._image_size)

    @property
    def status(self) -> str:
        """What the robot does, in a few words."""
        doing = "goes home" if self._is_moving_home else "practises"
        if not self.num_spoiled:
            return f"robot {doing}"
        return f"robot {doing}, {self.num_spoiled} spoiled (last held: {self._why_spoiled})"

    def listen(self, say: Say, check: Callable[[], object]) -> None:
        """Show by ``say`` what it waits for; call ``check`` meanwhile, which may raise."""
        self._connection.say, self._connection.check = say, check

    def close_extras(self, **_kwargs: Any) -> None:
        """Give the robot's lease back."""
        self._connection.close()

    def _act(self, action: Float32[np.ndarray, " action"]) -> None:
        state = self._connection.act(action.tolist(), settle=self._settle)
        self._num_done += 1
        is_good = state is not None and state.taken and state.is_fresh and not state.spoiled
        if state is not None and state.image is not None:
            self._state = state
        if not is_good:
            self._is_spoiled = True
            self.num_spoiled += 1
            why = state.why if state is not None else "its server is gone"
            self._why_spoiled = why or "late or stale"
        if self.has_ended:
            self.go_home()

    def _image(self) -> UInt8[np.ndarray, "H W 3"]:
        assert self._state is not None, "reset first"
        assert self._state.image is not None
        return crop_square(self._state.image, self._image_size)

    def _position(self) -> Float64[np.ndarray, " axes"]:
        assert self._state is not None, "reset first"
        return position_m(self._state, self.robot)

    def _begin_at_home(self) -> None:
        self._state = self._connection.begin_at_home()
        self._num_done, self._is_spoiled, self._is_moving_home = 0, False, False

    def _random_place(self, *, rng: np.random.Generator) -> Float64[np.ndarray, " axes"]:
        """Return a place in the box, along the axes that the policy moves."""
        return rng.uniform(self.robot.box_low_m, self.robot.box_high_m)[[*self.robot.axes]]

    def _observe(self) -> tuple[Observation, Info]:
        image = self._image()[None]
        goal_images = self._goals.images if self._goals else np.zeros_like(image)
        info: Info = {"state": self._position()[None], "spoiled": np.array([self._is_spoiled])}
        if self._goals and np.isnan(self._goals.states).any():  # a person's photograph
            info["image_distance_levels"] = rms(image, self._goals.images)
        elif self._goals:
            offset_m = self._position() - self._goals.states[0]
            info["goal_state"] = self._goals.states.copy()
            info["hand_distance_m"] = np.array([np.linalg.norm(offset_m)])
        return {"observation": image, "desired_goal": goal_images.copy()}, info

    def _photograph_somewhere(
        self, *, rng: np.random.Generator
    ) -> tuple[UInt8[np.ndarray, "H W 3"], Float64[np.ndarray, " axes"]]:
        """Drive to a random place in the box; return the image and the place."""
        target_m = self._random_place(rng=rng)
        for _ in range(MOST_DRIVES):
            self._begin_at_home()
            if self.drive_to(target_m):
                self.go_home()
                return self._image(), self._position()
            self.go_home()
        raise RobotError(about_held(target_m))

    def _drive_somewhere(self, *, rng: np.random.Generator) -> None:
        """Drive to a random place. Where each try was held, the episode begins at home."""
        for _ in range(MOST_DRIVES):
            if self.drive_to(self._random_place(rng=rng)):
                return
            self.num_spoiled += 1
            self._why_spoiled = "on the way to its start"
            self.go_home()
            self._begin_at_home()

    def drive_to(self, target_m: Float64[np.ndarray, " axes"]) -> bool:
        """Drive the tool near a place by actions; return whether nothing held it."""
        assert self._state is not None, "reset first"
        state = drive(self._connection, self._state, target_m)
        self._state = state or self._state
        return state is not None
