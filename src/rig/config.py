"""Every knob of a run on one page: frozen settings. :mod:`rig.presets` fills them in.

The docstring under each field is its ``--help``. Nothing here imports a framework.
"""

from dataclasses import dataclass, field
from typing import Literal

from rig.errors import ConfigError


FEWEST_PROBES = 100
"""With fewer, a task with missing objects may leave too few neighbours to read a state off."""

NUM_PATCH_LAYERS = 2
"""Layers of patches that take a picture to a small grid."""


def require(is_right: bool, message: str) -> None:
    """Raises ConfigError with the message unless the setting is right."""
    if not is_right:
        raise ConfigError(message)


@dataclass(frozen=True, kw_only=True)
class CollectConfig:
    """Where the first images come from."""

    num_images: int = 10_000
    """Images collected before the VAE is first fitted."""
    source: Literal["practice", "teleport"] = "practice"
    """practice: a random policy on the robot; teleport: random states, put there by hand
    (the original's simulation did so; a real robot can't)."""
    action_correlation: float = 0.9
    """How much of a random action is the one before it, in [0, 1)."""

    def __post_init__(self) -> None:
        require(self.num_images >= 1, f"num_images must be at least 1, got {self.num_images}")
        require(
            0 <= self.action_correlation < 1,
            f"action_correlation must be in [0, 1), got {self.action_correlation}",
        )


@dataclass(frozen=True, kw_only=True)
class VAEConfig:
    """The variational autoencoder.

    Its loss is in one convention: the reconstruction term summed over pixels and averaged over
    images, plus beta times the KL in nats.
    """

    latent_dim: int = 4
    """The number of latents."""
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    """bernoulli: binary cross-entropy; gaussian: squared error."""
    beta: float = 5.0
    """Weight of the KL term."""
    learning_rate: float = 1e-3
    """Adam's step size."""
    batch_size: int = 128
    """Images per step of the fit."""
    num_fit_steps: int = 50_000
    """Steps of the first fit."""
    architecture: Literal["patches", "keypoints", "feature_points"] = "patches"
    """patches: layers of patches, as the paper's convolutions; keypoints: latents are the
    places of the colours that move in the image, two latents each; feature_points: the places
    of learned features, as in a deep spatial autoencoder."""
    channels: tuple[int, int] = (32, 64)
    """patches: channels after each of the two patch layers."""
    num_components: int = 320
    """keypoints and feature_points: principal components that the decoder paints."""
    hidden_size: int = 256
    """keypoints and feature_points: units of each hidden layer of the decoder."""
    whiten_floor: float = 0.0
    """Variance of a latent below which it is taken for noise when latents are whitened;
    0: they are not whitened."""
    blur_sigmas_px: tuple[float, ...] = ()
    """Coarse to fine: blur of the target over the first three quarters of the first fit,
    pixels at 48 x 48, one equal share of the steps each. Empty: sharp from the start."""

    def __post_init__(self) -> None:
        require(self.latent_dim >= 1, f"latent_dim must be >= 1, got {self.latent_dim}")
        require(self.beta >= 0, f"beta must be at least 0, got {self.beta}")
        require(
            self.learning_rate > 0, f"learning_rate must be above 0, got {self.learning_rate}"
        )
        require(self.batch_size >= 1, f"batch_size must be at least 1, got {self.batch_size}")
        require(
            self.num_fit_steps >= 0, f"num_fit_steps must be >= 0, got {self.num_fit_steps}"
        )
        require(self.whiten_floor >= 0, f"whiten_floor must be >= 0, got {self.whiten_floor}")
        require(
            len(self.channels) == NUM_PATCH_LAYERS and min(self.channels) > 0,
            f"channels must be {NUM_PATCH_LAYERS} positive numbers, got {self.channels}",
        )
        require(
            min(self.num_components, self.hidden_size) >= 1,
            f"num_components and hidden_size must be at least 1, got {self.num_components} "
            f"and {self.hidden_size}",
        )
        require(
            all(sigma > 0 for sigma in self.blur_sigmas_px),
            f"blur_sigmas_px must be above 0, got {self.blur_sigmas_px}",
        )

        require(
            self.architecture == "patches" or self.latent_dim % 2 == 0,
            f"places take two latents each, so latent_dim {self.latent_dim} must be even",
        )
        require(
            self.likelihood == "gaussian"
            or (self.architecture == "patches" and not self.blur_sigmas_px),
            "likelihood bernoulli takes architecture patches without blur: choose gaussian",
        )


@dataclass(frozen=True, kw_only=True)
class OnlineConfig:
    """Fitting the VAE again to what practice sees."""

    every_steps: int = 0
    """Environment steps between fine-tunings; 0: the VAE stays as it was first fitted."""
    num_fit_steps: int = 600
    """Steps of each fine-tuning."""

    def __post_init__(self) -> None:
        require(
            self.every_steps >= 0, f"every_steps must be at least 0, got {self.every_steps}"
        )
        require(
            self.num_fit_steps >= 1, f"num_fit_steps must be >= 1, got {self.num_fit_steps}"
        )


@dataclass(frozen=True, kw_only=True)
class GoalMixture:
    """The goals that relabelling gives to a transition, as shares that sum to 1."""

    original: float = 0.1
    """Share that keeps the goal the rollout was aimed at."""
    future: float = 0.4
    """Share that gets a latent reached later in the same episode (hindsight)."""
    prior: float = 0.5
    """Share that gets a fresh draw from the prior (imagination)."""

    def __post_init__(self) -> None:
        require(
            min(self.shares) >= 0 and abs(sum(self.shares) - 1) < 1e-6,
            f"goal shares must be non-negative and sum to 1, got {sum(self.shares):g} "
            f"(original={self.original}, future={self.future}, prior={self.prior})",
        )

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares in the order kept, future, imagined."""
        return (self.original, self.future, self.prior)


@dataclass(frozen=True, kw_only=True)
class GoalConfig:
    """Where imagined goals come from."""

    source: Literal["normal", "fitted", "correlated", "seen", "skewed"] = "fitted"
    """normal: N(0, I); fitted: a Gaussian fitted to each latent of the images seen;
    correlated: one Gaussian fitted to all their latents, with their covariances; seen: the
    latents of images seen themselves; skewed: those, the rare ones more often (Skew-Fit)."""
    skew: float = -1.0
    """skewed: each latent seen is drawn in proportion to its density to this power."""
    refresh_every_steps: int = 0
    """Environment steps between makings of the prior from what replay holds; 0: it stays as
    it was after the fit."""
    per_rollout: int = 1
    """Goals that a rollout of practice is aimed at, one after another: with 2 it goes on to
    another goal halfway, from where the first has led it."""
    mixture: GoalMixture = field(default_factory=GoalMixture)
    """How a drawn transition is relabelled."""

    def __post_init__(self) -> None:
        require(
            self.per_rollout >= 1, f"per_rollout must be at least 1, got {self.per_rollout}"
        )


@dataclass(frozen=True, kw_only=True)
class RewardConfig:
    """The reward that a goal implies."""

    kind: Literal[
        "latent",
        "sqrt_distance",
        "log_probability",
        "sparse",
        "pixel",
        "pixel_distance",
        "pixel_sparse",
    ] = "latent"
    """latent: minus the distance in latent space; sqrt_distance: minus its square root, under
    which the
    last centimetre counts for more; log_probability: minus half the squared
    Mahalanobis distance; sparse: 0 near the goal, else -1; pixel: minus the mean squared
    error between the image and the goal's picture; pixel_distance: minus the root of that;
    pixel_sparse: 0 where that root is small, else -1."""
    metric: Literal["spread", "steps"] = "spread"
    """What a latent counts for in distances: spread: as much as any other that moves; steps:
    as many steps of practice as it takes to move it (needs --collect.source practice)."""
    distance: Literal["latent", "true"] = "latent"
    """What kinds latent, sqrt_distance and sparse measure between: latents, or (true) true
    states,
    which no robot has: a check of which half of a run is at fault, as --input is."""
    min_std: float = 0.1
    """Floor of the encoder's standard deviation, for log_probability and sparse."""
    sparse_threshold: float = 3.0
    """Mahalanobis distance under which the sparse reward is 0."""
    pixel_threshold: float = 0.07
    """Root of the mean squared error, pixels in [0, 1], under which pixel_sparse is 0."""

    def __post_init__(self) -> None:
        require(self.min_std > 0, f"min_std must be above 0, got {self.min_std}")
        require(
            self.sparse_threshold > 0,
            f"sparse_threshold must be above 0, got {self.sparse_threshold}",
        )
        require(
            self.pixel_threshold > 0,
            f"pixel_threshold must be above 0, got {self.pixel_threshold}",
        )


@dataclass(frozen=True, kw_only=True)
class TD3Config:
    """Goal-conditioned TD3 (Fujimoto et al. 2018)."""

    hidden_sizes: tuple[int, ...] = (400, 300)
    """Units of the hidden layers of actor and critics."""
    channels: tuple[int, ...] = ()
    """End to end, a baseline: channels after each layer of patches through which actor and
    critics see image and goal picture themselves, without a VAE. Empty: they see latents."""
    layer_norm: bool = False
    """Whether each hidden layer is normalised."""
    num_critics: int = 2
    """Critics, of which the target takes the least value; 1 costs a third less."""
    learning_rate: float = 1e-3
    """Adam's step size, for actor and critics."""
    final_lr_fraction: float = 1.0
    """Share of the step size left at the end of the run; it falls in a straight line."""
    gamma: float = 0.99
    """Discount per step; there is no termination, so 1 / (1 - gamma) steps is the horizon."""
    tau: float = 0.01
    """Share of the new weights that the target networks take in at each update of theirs."""
    batch_size: int = 128
    """Transitions per update."""
    utd_ratio: float = 4.0
    """Updates per environment step."""
    policy_delay: int = 2
    """Critic updates per update of the actor and the targets."""
    target_policy_noise: float = 0.2
    """Standard deviation of the noise on the target policy's action."""
    target_noise_clip: float = 0.5
    """Bound of that noise."""
    learning_starts: int = 4000
    """Environment steps of practice before the first update."""

    def __post_init__(self) -> None:
        require(self.num_critics >= 1, f"num_critics must be >= 1, got {self.num_critics}")
        require(len(self.hidden_sizes) > 0, "hidden_sizes must name at least one layer")
        require(
            min(self.hidden_sizes) > 0,
            f"hidden_sizes must be positive, got {self.hidden_sizes}",
        )
        require(
            len(self.channels) in (0, NUM_PATCH_LAYERS) and min(self.channels, default=1) > 0,
            f"channels must be empty or {NUM_PATCH_LAYERS} positive numbers, "
            f"got {self.channels}",
        )
        require(
            min(self.target_policy_noise, self.target_noise_clip) >= 0,
            "target_policy_noise and its clip must be at least 0, got "
            f"{self.target_policy_noise} and {self.target_noise_clip}",
        )
        require(
            self.learning_rate > 0, f"learning_rate must be above 0, got {self.learning_rate}"
        )
        require(
            0 < self.final_lr_fraction <= 1,
            f"final_lr_fraction must be in (0, 1], got {self.final_lr_fraction}",
        )
        require(0 <= self.gamma < 1, f"gamma must be in [0, 1), got {self.gamma}")
        require(0 < self.tau <= 1, f"tau must be in (0, 1], got {self.tau}")
        require(self.batch_size >= 1, f"batch_size must be at least 1, got {self.batch_size}")
        require(
            self.utd_ratio >= 0,
            f"utd_ratio must be at least 0, got {self.utd_ratio}",
        )
        require(
            self.policy_delay >= 1, f"policy_delay must be at least 1, got {self.policy_delay}"
        )

    def learning_rate_at(self, progress: float) -> float:
        """The step size when that share of the run is over."""
        left = 1 - min(progress, 1.0) * (1 - self.final_lr_fraction)
        return self.learning_rate * left


@dataclass(frozen=True, kw_only=True)
class ExploreConfig:
    """Noise on the actions of practice."""

    kind: Literal["ornstein_uhlenbeck", "gaussian"] = "ornstein_uhlenbeck"
    """Whether the noise lasts (Ornstein-Uhlenbeck) or is drawn afresh at each step."""
    sigma: float = 0.3
    """Scale of the noise, in units of action."""
    theta: float = 0.15
    """Pull of the Ornstein-Uhlenbeck noise back to 0, per step."""
    random_eps: float = 0.0
    """Share of actions that are uniformly random instead."""

    def __post_init__(self) -> None:
        require(self.sigma >= 0, f"sigma must be at least 0, got {self.sigma}")
        require(0 <= self.theta <= 1, f"theta must be in [0, 1], got {self.theta}")
        require(
            0 <= self.random_eps <= 1,
            f"random_eps must be in [0, 1], got {self.random_eps}",
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """How progress is measured. Nothing here reaches learning."""

    every_steps: int = 10_000
    """Environment steps between evaluations during training."""
    num_goals: int = 100
    """Goal pictures tried at each evaluation, always the same ones."""
    goals: Literal["test", "tuning"] = "test"
    """test: the goals that results are told on; tuning: others, to choose settings by without
    choosing for those."""
    num_probes: int = 2000
    """Pictures, after each fit of the VAE, by which it is told what latents hold."""

    def __post_init__(self) -> None:
        require(
            self.every_steps >= 1, f"every_steps must be at least 1, got {self.every_steps}"
        )
        require(self.num_goals >= 1, f"num_goals must be at least 1, got {self.num_goals}")
        require(
            self.num_probes >= FEWEST_PROBES,
            f"num_probes must be at least {FEWEST_PROBES}, got {self.num_probes}",
        )


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """What is kept of a run that is stopped. Nothing here changes what the run learns."""

    every_steps: int = 5000
    """Environment steps of practice between checkpoints."""
    keep_finished: bool = False
    """Whether a finished run keeps its last checkpoints, with all of replay."""

    def __post_init__(self) -> None:
        require(
            self.every_steps >= 1, f"every_steps must be at least 1, got {self.every_steps}"
        )


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole run."""

    task: str = "Reach"
    """The task, as `rig train --help` lists them; or `--env`."""
    seed: int = 0
    """The seed of everything random."""
    total_timesteps: int = 505_000
    """Environment steps of the whole run, collection included."""
    image_size: Literal[48, 84] = 48
    """Height and width of the camera's image, pixels."""
    num_envs: int = 16
    """Simulations that practise side by side."""
    camera: str = ""
    """--env: what its MuJoCo scene is seen by: one of its own cameras by name, or a free one as
    'lookat X Y Z distance D elevation E azimuth A fovy F', in metres and degrees. Or the name
    of a picture in its observation. Empty: as it is usually seen."""
    episode_steps: int = 0
    """--env: steps of an episode; 0: its own limit."""
    buffer_size: int = 100_000
    """Transitions that memory holds; the oldest go first."""
    buffer_memory_gb: float = 0.0
    """Memory that the frames of replay may take, GB; if they are more, they lie in a file of
    the run's directory. 0: no bound."""
    on_divergence: Literal["stop", "rollback"] = "stop"
    """When learning diverges: stop, or go back to the last checkpoint and on from there with
    other random numbers and half the step size, three times at most."""
    oracle: bool = False
    """See the true state in place of images, with the task's own goals and the reward's
    distances in it: a check of the reinforcement-learning half, not a way to train."""
    input: Literal["latent", "true"] = "latent"
    """What actor and critics see: the latents of images, or the true state, which no robot
    has. With --reward.distance it tells which half is at fault when a run does not learn
    (docs/when-it-does-not-learn.md); not a way to train either."""
    representation: str = ""
    """A representation of your own, by the name under which it is registered
    (docs/new-representation.md). Empty: the one that oracle, input, reward.distance and
    td3.channels choose."""
    collect: CollectConfig = field(default_factory=CollectConfig)
    vae: VAEConfig = field(default_factory=VAEConfig)
    online: OnlineConfig = field(default_factory=OnlineConfig)
    goals: GoalConfig = field(default_factory=GoalConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    td3: TD3Config = field(default_factory=TD3Config)
    explore: ExploreConfig = field(default_factory=ExploreConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)

    def __post_init__(self) -> None:
        require(self.seed >= 0, f"seed must be at least 0, got {self.seed}")
        require(
            self.total_timesteps >= 1,
            f"total_timesteps must be >= 1, got {self.total_timesteps}",
        )
        require(
            self.episode_steps >= 0, f"episode_steps must be >= 0, got {self.episode_steps}"
        )
        require(self.num_envs >= 1, f"num_envs must be at least 1, got {self.num_envs}")
        require(
            self.buffer_size >= 1, f"buffer_size must be at least 1, got {self.buffer_size}"
        )
        require(
            self.buffer_memory_gb >= 0,
            f"buffer_memory_gb must be at least 0, got {self.buffer_memory_gb}",
        )
        require(
            self.image_size in (48, 84), f"image_size must be 48 or 84, got {self.image_size}"
        )
        if self.is_end_to_end:
            self._refuse_latents()
        require(
            not (self.oracle and self.reward.kind.startswith("pixel")),
            f"an oracle sees no pictures, and reward.kind {self.reward.kind} compares them: "
            "choose latent, sqrt_distance, log_probability or sparse",
        )
        require(
            self.reward.metric == "spread" or self.collect.source == "practice",
            "reward.metric steps is made of steps that practice took: collect.source "
            f"{self.collect.source} takes none, choose practice",
        )
        if self.is_hybrid:
            self._refuse_what_no_swap_has()

    @property
    def representation_kind(self) -> str:
        """The name of the representation in its registry."""
        if self.representation:
            return self.representation
        if self.is_given_truth:
            return "true_state" if self.oracle else "hybrid"
        return "pixels" if self.is_end_to_end else "latent"

    @property
    def is_end_to_end(self) -> bool:
        """Whether actor and critics see pictures themselves, and there is no VAE."""
        return len(self.td3.channels) > 0

    @property
    def reads_frames_again(self) -> bool:
        """Whether learning looks at a frame again once its latent is known."""
        is_fitted_again = self.online.every_steps > 0
        return is_fitted_again or self.is_end_to_end or self.reward.kind.startswith("pixel")

    def _refuse_latents(self) -> None:
        """Raises ConfigError at settings that need latents where pictures stand for them."""
        require(
            not self.is_given_truth,
            "an oracle sees no pictures, and halves swap latents for the true state: leave out "
            "--td3.channels",
        )
        require(
            self.goals.source == "seen",
            f"with --td3.channels no goal is imagined: goals.source must be seen, "
            f"got {self.goals.source}",
        )
        require(
            self.reward.kind.startswith("pixel"),
            "with --td3.channels there are no latents: reward.kind must be pixel, "
            f"pixel_distance or pixel_sparse, got {self.reward.kind}",
        )

    @property
    def is_hybrid(self) -> bool:
        """Whether a half of the run is given the true state, and its goals are its own."""
        return "true" in (self.input, self.reward.distance)

    @property
    def is_given_truth(self) -> bool:
        """Whether anything that learns is given the true state."""
        return self.oracle or self.is_hybrid

    def _refuse_what_no_swap_has(self) -> None:
        given = "--input true and --reward.distance true"
        require(
            not self.oracle,
            f"{given} give the true state to one half, --oracle to both: leave out one",
        )
        require(
            self.reward.kind in ("latent", "sqrt_distance", "sparse"),
            f"{given} compare distances: --reward.kind {self.reward.kind} does not, choose "
            "latent, sqrt_distance or sparse",
        )
        require(
            self.goals.source in ("seen", "skewed"),
            f"{given} take goals with what was true of them: --goals.source "
            f"{self.goals.source} makes up latents, choose seen or skewed",
        )
        require(
            self.collect.source == "practice",
            f"{given} take what was true of every image: --collect.source teleport forgets "
            "it, choose practice",
        )
