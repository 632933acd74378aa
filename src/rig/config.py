"""Every setting of a run, on one page. :mod:`rig.presets` fills them in.

The docstring under each field is its ``--help``; its type states its range. Nothing here
imports a framework.
"""

import re
from dataclasses import dataclass, field
from math import inf
from typing import Annotated, Literal, TypeVar

from annotated_types import Ge, Gt, Interval, MinLen

from rig.validation import Checked, require


Count = Annotated[int, Ge(1)]
CountOrNone = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Interval(ge=0, le=1)]
PositiveFraction = Annotated[float, Interval(gt=0, le=1)]
BelowOne = Annotated[float, Interval(ge=0, lt=1)]
Auto = Literal["auto"]
"""Practice decides."""
Number = TypeVar("Number", int, float)

DURATION = re.compile(r"(?:([\d.]+)h)?(?:([\d.]+)min)?(?:([\d.]+)s)?")
FEWEST_PROBES = 100
"""With fewer, a task with missing objects may leave too few neighbours to read a state off."""

CameraEffect = Literal[
    "webcam",
    "exposure",
    "white_balance",
    "shadows",
    "texture",
    "vignette",
    "noise",
    "night",
    "motion_blur",
    "jpeg",
    "vibration",
]
"""What makes images like those of a real camera; webcam: all of them but night."""

NUM_PATCH_LAYERS = 2
"""Layers of patches that turn an image into a small grid."""


def decided(value: Number | Auto) -> Number:
    """Return a setting that practice has decided on by now."""
    assert value != "auto", "practice has not decided yet"
    return value


@dataclass(frozen=True, kw_only=True)
class CollectConfig(Checked):
    """Where the first images come from."""

    num_images: Count = 10_000
    """Images collected before the VAE is first fitted."""
    source: Literal["practice", "teleport"] = "practice"
    """practice: a random policy on the robot; teleport: random states, set in the simulation
    (the original did so; a real robot can't)."""
    from_: str = ""
    """Take the first images from a recording in place of collecting any: a LeRobot dataset
    (v3.0) of anyone, a video, or a folder of videos. Actions are learned from too if `rig
    record` recorded them in the same environment. Written `--collect.from`."""
    camera: str = ""
    """--collect.from: which camera of a LeRobot dataset, if it has several."""
    action_correlation: BelowOne = 0.9
    """How much of a random action is the previous one, in [0, 1)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            not (self.from_ and self.source == "teleport"),
            "--collect.from has the first images already: leave out --collect.source teleport",
        )


@dataclass(frozen=True, kw_only=True)
class VAEConfig(Checked):
    """The variational autoencoder.

    Its loss is in one convention: the reconstruction term summed over pixels and averaged over
    images, plus beta times the KL in nats.
    """

    latent_dim: Count = 4
    """Number of latents."""
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    """bernoulli: binary cross-entropy; gaussian: squared error."""
    beta: NonNegative = 5.0
    """Weight of the KL term."""
    learning_rate: Positive = 1e-3
    """Adam's step size."""
    batch_size: Count = 128
    """Images per step of the fit."""
    num_fit_steps: CountOrNone = 50_000
    """Steps of the first fit."""
    architecture: Literal["patches", "quantile_keypoints", "feature_points"] = "patches"
    """patches: layers of patches, like the paper's convolutions; quantile_keypoints: place and
    shape of what moves, color by color, under changing light; feature_points: the positions of
    learned features, two latents each, as in a deep spatial autoencoder."""
    channels: tuple[Count, Count] = (32, 64)
    """patches: channels after each of the two patch layers."""
    num_components: Count = 320
    """All but patches: principal components of the decoder's output."""
    hidden_size: Count = 256
    """All but patches: units of each hidden layer of the decoder."""
    whiten_floor: NonNegative = 0.0
    """patches, feature_points: latents with a variance below this count as noise when latents
    are whitened; 0: they are not whitened."""
    blur_sigmas_px: tuple[Positive, ...] = ()
    """Coarse to fine: blur of the target over the first three quarters of the first fit,
    pixels at 48 x 48, each for an equal number of steps. Empty: no blur."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.architecture != "feature_points" or self.latent_dim % 2 == 0,
            f"a position takes two latents, so latent_dim must be even, got {self.latent_dim}",
        )
        require(
            self.likelihood == "gaussian"
            or (self.architecture == "patches" and not self.blur_sigmas_px),
            "likelihood bernoulli takes architecture patches without blur: choose gaussian",
        )


@dataclass(frozen=True, kw_only=True)
class OnlineConfig(Checked):
    """Fine-tuning the VAE on images from practice."""

    every_steps: CountOrNone = 0
    """Environment steps between fine-tunings; 0: the VAE stays as it was first fitted."""
    num_fit_steps: Count = 600
    """Steps of each fine-tuning."""


@dataclass(frozen=True, kw_only=True)
class GoalMixture(Checked):
    """The goals that relabelling gives to a transition, as fractions that sum to 1."""

    original: float = 0.1
    """Fraction that keeps the goal of its rollout."""
    future: float = 0.4
    """Fraction that gets a latent reached later in the same episode (hindsight)."""
    prior: float = 0.5
    """Fraction that gets a fresh draw from the prior (imagination)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            min(self.shares) >= 0 and abs(sum(self.shares) - 1) < 1e-6,
            f"goal fractions must be at least 0 and sum to 1, got {sum(self.shares):g} "
            f"(original={self.original}, future={self.future}, prior={self.prior})",
        )

    @property
    def shares(self) -> tuple[float, float, float]:
        """The fractions in the order original, future, prior."""
        return (self.original, self.future, self.prior)


@dataclass(frozen=True, kw_only=True)
class GoalConfig(Checked):
    """Where imagined goals come from."""

    source: Literal["normal", "fitted", "correlated", "seen", "skewed", "composed"] = "fitted"
    """normal: N(0, I); fitted: a Gaussian fitted to each latent of the images seen;
    correlated: one Gaussian fitted to all latents, with their covariances; seen: latents of
    images seen; skewed: those, rare ones more often (Skew-Fit); composed: each thing as in
    one of those or another, so that a goal shows things together as they were never seen."""
    skew: float = -1.0
    """skewed, composed: a latent seen is drawn in proportion to its density to this power."""
    refresh_every_steps: CountOrNone = 0
    """Environment steps between updates of the prior from the replay buffer; 0: it stays as
    it was after the fit."""
    per_rollout: Count = 1
    """Goals of one rollout, one after another: with 2, the goal changes halfway, and the
    second half starts from where the first has led."""
    mixture: GoalMixture = field(default_factory=GoalMixture)
    """How a sampled transition is relabelled."""
    by_thing: Fraction = 0.0
    """composed: fraction of sampled transitions in which each thing takes its part of the goal
    from a source of its own in the mixture: the hand from one, an object from another.
    Other sources take no goal apart."""


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(Checked):
    """Which transitions replay gives to learn from."""

    prioritized: Fraction = 0.0
    """Fraction of sampled transitions that are drawn from episodes by how far things moved in
    them, each thing counting alike (after Zhao and Tresp 2018); the rest are drawn uniformly.
    Needs goals.source composed, which finds the things."""


RewardKind = Literal[
    "auto",
    "latent",
    "sqrt_distance",
    "log_probability",
    "sparse",
    "pixel",
    "pixel_distance",
    "pixel_sparse",
]


@dataclass(frozen=True, kw_only=True)
class RewardConfig(Checked):
    """The reward for a goal."""

    kind: RewardKind = "latent"
    """auto: sparse if practice often comes near imagined goals and there is one reward for
    everything (by_thing), else sqrt_distance; chosen after the first fit. latent: minus the
    distance in latent space; sqrt_distance: minus its square root, under which the last
    centimetre counts for more; log_probability: minus half the squared Mahalanobis distance;
    sparse: 0 near the goal, else -1; pixel: minus the mean squared error between image and
    goal image; pixel_distance: minus the root of that; pixel_sparse: 0 where that root is
    small, else -1."""
    metric: Literal["spread", "steps"] = "spread"
    """How latents are weighted in distances: spread: all latents that vary count the same;
    steps: by the number of practice steps it takes to change them (needs
    --collect.source practice)."""
    distance: Literal["latent", "true"] = "latent"
    """What latent, sqrt_distance and sparse measure the distance between: latents, or (true)
    true states, which no robot has. A diagnosis of what fails in a run, like --input."""
    min_std: Positive = 0.1
    """Floor of the encoder's standard deviation, for log_probability and sparse."""
    sparse_threshold: Positive = 3.0
    """Mahalanobis distance under which the sparse reward is 0."""
    pixel_threshold: Positive = 0.07
    """Root of the mean squared error, pixels in [0, 1], under which pixel_sparse is 0."""
    by_thing: bool = False
    """latent, sqrt_distance: the mean of a reward for each thing, so that each counts alike;
    where goals are composed (goals.source composed) of three things or more. Elsewhere it
    does nothing."""

    @property
    def is_pixel(self) -> bool:
        """Whether images are compared, not latents."""
        return self.kind.startswith("pixel")


@dataclass(frozen=True, kw_only=True)
class TD3Config(Checked):
    """Goal-conditioned TD3 (Fujimoto et al. 2018)."""

    hidden_sizes: Annotated[tuple[Count, ...], MinLen(1)] = (400, 300)
    """Units of the hidden layers of actor and critics."""
    channels: tuple[Count, ...] = ()
    """End to end, a baseline: channels after each layer of patches through which actor and
    critics see image and goal image themselves, without a VAE. Empty: they see latents."""
    layer_norm: bool = False
    """Normalise each hidden layer."""
    num_critics: Count = 2
    """Number of critics; the target takes the smallest value. 1 costs a third less."""
    learning_rate: Positive = 1e-3
    """Adam's step size, for actor and critics."""
    final_lr_fraction: PositiveFraction = 1.0
    """Fraction of the step size at the end of the run; it falls linearly."""
    gamma: BelowOne | Auto = 0.99
    """Discount per step; there is no termination, so 1 / (1 - gamma) steps is the horizon.
    auto: 0.95 under a sparse reward, else 0.98."""
    n_steps: Count | Auto = 1
    """Steps whose rewards are summed before the target critics' value (n-step returns);
    auto: 1 under a sparse reward, else 3."""
    tau: PositiveFraction = 0.01
    """Fraction of the new weights in each update of the target networks."""
    batch_size: Count = 128
    """Transitions per update."""
    utd_ratio: NonNegative = 4.0
    """Gradient steps per environment step (update-to-data ratio)."""
    policy_delay: Count = 2
    """Critic updates per update of the actor and the targets."""
    target_policy_noise: NonNegative = 0.2
    """Standard deviation of the noise on the target policy's action."""
    target_noise_clip: NonNegative = 0.5
    """Bound of that noise."""
    learning_starts: int = 4000
    """Environment steps before the first update."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            len(self.channels) in (0, NUM_PATCH_LAYERS),
            f"channels must have 0 or {NUM_PATCH_LAYERS} values, got {self.channels}",
        )

    def learning_rate_at(self, progress: float) -> float:
        """Return the step size after a fraction of the run."""
        left = 1 - min(progress, 1.0) * (1 - self.final_lr_fraction)
        return self.learning_rate * left


@dataclass(frozen=True, kw_only=True)
class ExploreConfig(Checked):
    """Noise on the actions of practice."""

    kind: Literal["ornstein_uhlenbeck", "gaussian"] = "ornstein_uhlenbeck"
    """ornstein_uhlenbeck: noise correlated over steps; gaussian: independent at each step."""
    sigma: NonNegative = 0.3
    """Scale of the noise, in units of action."""
    theta: Fraction = 0.15
    """Pull of the Ornstein-Uhlenbeck noise back to 0, per step."""
    random_eps: Fraction = 0.0
    """Fraction of actions that are uniformly random instead."""
    random_duration: Annotated[float, Ge(1)] | Auto = 1.0
    """Mean number of steps that a random action lasts; 1: a new one at each step; auto: 1
    under a sparse reward, else 6."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.random_duration in (1, "auto") or self.random_eps > 0,
            "explore.random_duration is of random actions: give --explore.random-eps too",
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(Checked):
    """How progress is measured. Nothing here affects learning."""

    every_steps: Count = 10_000
    """Environment steps between evaluations during training."""
    num_goals: Count = 100
    """Goal images tried at each evaluation, always the same ones."""
    goals: Literal["test", "tuning"] = "test"
    """test: the goals that results are reported on; tuning: others, for choosing settings."""
    num_probes: Annotated[int, Ge(FEWEST_PROBES)] = 2000
    """Images, after each fit of the VAE, on which it is measured what latents encode."""


@dataclass(frozen=True, kw_only=True)
class PracticeConfig(Checked):
    """How a real robot practises (--robot)."""

    delay: Literal["none", "settle", "stack"] = "none"
    """What is done about the time that arm and camera take. settle, the default of
    robots: wait after each action until the arm is at rest, then look; stack: policy and critic
    also see the last actions; none: nothing."""
    num_stacked: Annotated[int, Interval(ge=1, le=10)] = 3
    """stack: how many of the last actions; the measured delay in steps, rounded up."""
    action_size: CountOrNone = 0
    """stack: numbers of an action; taken from the robot's file."""
    random_start: bool = False
    """Drive from home to a random place of the robot's box before each episode of practice, so
    that the hand also starts behind what it pushes. All else starts at home."""
    pause_after: CountOrNone = 0
    """Ask a person to move something when nothing but the arm has moved for this many episodes;
    0: never."""

    @property
    def num_stacked_values(self) -> int:
        """The numbers of the last actions that policy and critic see."""
        return self.num_stacked * self.action_size


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig(Checked):
    """What is saved so that a run can be resumed. Nothing here affects learning."""

    every_steps: Count = 5000
    """Environment steps between checkpoints."""
    keep_finished: bool = False
    """Keep a finished run's last checkpoints, with the whole replay buffer."""


@dataclass(frozen=True, kw_only=True)
class Config(Checked):
    """A whole run."""

    task: str = "Reach"
    """The task, as `rig train --help` lists them; or `--env`."""
    seed: CountOrNone = 0
    """Seed of everything random."""
    total_timesteps: Count = 505_000
    """Environment steps of the whole run, collection included."""
    image_size: Literal[48, 84] = 48
    """Height and width of the camera's image, pixels."""
    num_envs: Count = 16
    """Environments that run in parallel."""
    camera: str = ""
    """--env: the camera of its MuJoCo scene: a camera of the scene by name, or a free one as
    'lookat X Y Z distance D elevation E azimuth A fovy F', in metres and degrees. Or the name
    of an image in its observation, or render. Empty: the environment's default view."""
    episode_steps: CountOrNone = 0
    """--env: steps of an episode; 0: its own limit. --robot: at most 100."""
    robot: str = ""
    """A real robot in place of a task: the TOML file of its server (docs/robot.md)."""
    time_budget: str = ""
    """End after so long, as 90min, 2h or 1h30min; the run is evaluated and finished as usual.
    Empty: no limit."""
    score: str = ""
    """--env: arrays in its info or observation whose distance between goal and end is reported,
    KEY[PART]:UNIT[,...], as 'proprio/effector_pos:m' or 'block_pose[:2]:px,block_pose[2]:rad'.
    For evaluation alone."""
    camera_effects: tuple[CameraEffect, ...] = ()
    """Make images like those of a real camera, in training, evaluation and goal images.
    exposure: auto exposure that follows the image and the room's light with a lag;
    white_balance: it drifts; shadows: a soft one follows the arm, one passes by; texture: grain
    on what never moves; vignette: dark corners; noise: of a sensor, 0.5 to 1.5 grey levels;
    night: of 6; motion_blur, jpeg (quality 90) and vibration (half a pixel); webcam: all but
    night."""
    buffer_size: Count = 100_000
    """Transitions in the replay buffer; the oldest are dropped first."""
    buffer_memory_gb: NonNegative = 0.0
    """Memory for the images of the replay buffer, GB; if they need more, they are stored in a
    file of the run's directory. 0: no limit."""
    on_divergence: Literal["stop", "rollback"] = "stop"
    """When learning diverges: stop, or return to the last checkpoint and continue with other
    random numbers and half the step size, at most three times."""
    oracle: bool = False
    """Learn from the true state in place of images, with the task's own goals and distances.
    A check of the reinforcement learning alone, not a way to train."""
    input: Literal["latent", "true"] = "latent"
    """What actor and critics see: the latents of images, or the true state, which no robot
    has. With --reward.distance it shows whether the representation or the reward causes a
    failure (docs/when-it-does-not-learn.md); not a way to train."""
    representation: str = ""
    """A representation of your own, by the name under which it is registered
    (docs/new-representation.md). Empty: the one that oracle, input, reward.distance and
    td3.channels choose."""
    collect: CollectConfig = field(default_factory=CollectConfig)
    vae: VAEConfig = field(default_factory=VAEConfig)
    online: OnlineConfig = field(default_factory=OnlineConfig)
    goals: GoalConfig = field(default_factory=GoalConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    td3: TD3Config = field(default_factory=TD3Config)
    explore: ExploreConfig = field(default_factory=ExploreConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    practice: PracticeConfig = field(default_factory=PracticeConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            not (self.oracle and self.reward.is_pixel),
            f"--oracle uses no images, and reward.kind {self.reward.kind} compares them: "
            "choose auto, latent, sqrt_distance, log_probability or sparse",
        )
        require(
            self.reward.metric == "spread" or self.collect.source == "practice",
            "reward.metric steps is measured in practice: collect.source "
            f"{self.collect.source} has none, choose practice",
        )
        self._check_things()
        require(
            not (self.oracle and self.collect.from_),
            "--oracle uses no images: leave out --collect.from",
        )
        seconds_of(self.time_budget)
        self._check_robot()
        if self.is_end_to_end:
            self._check_end_to_end()
        if self.is_hybrid:
            self._check_hybrid()

    @property
    def representation_kind(self) -> str:
        """The name of the representation in its registry."""
        if self.representation:
            return self.representation
        if self.is_given_truth:
            return "true_state" if self.oracle else "hybrid"
        if self.practice.delay == "stack":
            return "stacked"
        return "pixels" if self.is_end_to_end else "latent"

    @property
    def is_end_to_end(self) -> bool:
        """Whether actor and critics see images themselves, and there is no VAE."""
        return len(self.td3.channels) > 0

    @property
    def reads_frames_again(self) -> bool:
        """Whether learning needs a frame again once its latent is known."""
        is_fitted_again = self.online.every_steps > 0
        return is_fitted_again or self.is_end_to_end or self.reward.is_pixel

    @property
    def is_hybrid(self) -> bool:
        """Whether either policy or reward uses the true state, as an ablation."""
        return "true" in (self.input, self.reward.distance)

    @property
    def is_given_truth(self) -> bool:
        """Whether anything that learns is given the true state."""
        return self.oracle or self.is_hybrid

    def _check_things(self) -> None:
        """Raise ConfigError at settings that need goals composed of things."""
        needs = (
            "goes by things, and only goals.source composed tells them apart: choose it, not"
        )
        require(
            self.replay.prioritized == 0 or self.goals.source == "composed",
            f"replay.prioritized {needs} {self.goals.source}, or leave out "
            "--replay.prioritized",
        )

    def _check_robot(self) -> None:
        """Raise ConfigError at settings that a robot can't have, or that only one has."""
        require(
            not self.robot or self.num_envs == 1,
            f"--robot is one robot: --num-envs must be 1, got {self.num_envs}",
        )
        require(
            not self.practice.random_start or bool(self.robot),
            "--practice.random-start is for --robot: leave it out",
        )
        is_stacked = self.practice.delay == "stack"
        is_plain = not (self.is_given_truth or self.is_end_to_end or self.reads_frames_again)
        require(
            not is_stacked or (bool(self.robot) and is_plain and not self.collect.from_),
            "--practice.delay stack is for --robot with latents that stay as they are: leave "
            "out --td3.channels, --online.every-steps, pixel rewards and --collect.from",
        )

    def _check_end_to_end(self) -> None:
        """Raise ConfigError at settings that need latents."""
        require(
            not self.is_given_truth,
            "--td3.channels learns from images: leave out --oracle, --input true and "
            "--reward.distance true",
        )
        require(
            self.goals.source == "seen",
            f"--td3.channels can't imagine goals: goals.source must be seen, "
            f"got {self.goals.source}",
        )
        require(
            self.reward.is_pixel,
            "--td3.channels has no latents: reward.kind must be pixel, pixel_distance or "
            f"pixel_sparse, got {self.reward.kind}",
        )

    def _check_hybrid(self) -> None:
        """Raise ConfigError at settings that a true-state ablation can't have."""
        given = "--input true and --reward.distance true"
        require(
            not self.oracle,
            f"{given} give the true state to policy or reward, --oracle to both: leave out one",
        )
        require(
            self.reward.kind in ("auto", "latent", "sqrt_distance", "sparse"),
            f"{given} compare distances: --reward.kind {self.reward.kind} does not, choose "
            "auto, latent, sqrt_distance or sparse",
        )
        require(
            self.goals.source in ("seen", "skewed", "composed"),
            f"{given} need goals with a known true state: --goals.source "
            f"{self.goals.source} has none, choose seen or skewed (composed is skewed here)",
        )
        require(
            self.collect.source == "practice" and not self.collect.from_,
            f"{given} need the true state of every image: --collect.source teleport and "
            "--collect.from do not record it, choose practice",
        )


def seconds_of(duration: str) -> float:
    """Return a duration such as ``1h30min`` in seconds; infinity if it is empty.

    Raises:
        ConfigError: It is not a duration.
    """
    if not duration:
        return inf
    match = DURATION.fullmatch(duration.replace(" ", ""))
    parts = [float(part or 0) for part in match.groups()] if match else []
    require(sum(parts) > 0, f"time_budget must be as 90min, 2h or 1h30min, got {duration!r}")
    return sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=True))
