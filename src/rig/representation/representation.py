"""What the agent sees: the Protocol that the loop, inference and reports rely on.

The kinds are in files next to this one, and :mod:`rig.representation.registry` chooses one. To
add a kind, subclass :class:`Representation`: methods with a body have a usual default.

A *frame* is what an environment shows: an image, a true state, or both packed together. A
*latent* is what a frame is encoded to. A goal is a latent.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float32, UInt8

from rig.config import Config
from rig.replay.buffer import ReplayBuffer
from rig.representation.collage import Collage
from rig.representation.reward import latent_reward
from rig.types import Collected, Encoding, Latents, Parts


Actor = Callable[[jax.Array, jax.Array], jax.Array]
"""Takes latents and goals, returns actions; a pytree of networks."""
Envs = VectorEnv[Any, Any, Any]
Images = UInt8[np.ndarray, "N H W 3"]
Actions = Float32[np.ndarray, "N action"]
Tree = dict[str, Any]
"""Arrays by name, nested; a template has shapes in their place."""


@runtime_checkable
class FitMonitor(Protocol):
    """What follows a fit, to display and log it."""

    def begin_fit(self) -> Callable[[int, dict[str, float]], None]:
        """Return what the fit calls with its step and its metrics."""

    def after_fit(self, representation: "Representation", images: Images) -> None:
        """Measure a fitted representation on images that it was fitted to."""


@runtime_checkable
class Representation(Protocol):
    """Encodes frames, imagines goals, and measures distances between latents."""

    needs_true_state: ClassVar[bool] = False
    """Whether frames hold the simulator's true state. If not, frames are images, and a person's
    goal image can be encoded."""
    latent_dtype: ClassVar[type[np.generic]] = np.float32
    """uint8 if a latent is the frame itself: the buffer then stores it once."""
    weight: Float32[np.ndarray, " latent"] | None
    """Weight of each latent in distances; None if distance is not weighted Euclidean."""

    @property
    def latent_dim(self) -> int:
        """The length of a latent."""

    @property
    def num_goals(self) -> int:
        """The number of stored goals to draw from; 0 if goals are drawn from a density."""

    @property
    def parts(self) -> Parts | None:
        """What each thing adds to a latent, a matrix each, where goals are composed of them."""
        return None

    @property
    def collage(self) -> Collage | None:
        """What latents are shown with, where that is not a decoder."""
        return None

    def with_collage(self, collage: Collage | None) -> "Representation":
        """Return the same representation that shows latents with a collage, if it can."""
        return self

    @property
    def input_columns(self) -> slice:
        """The part of a latent that actor and critics see."""
        return slice(None)

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the length of the part of a latent that actor and critics see."""

    @classmethod
    def observe(cls, envs: Envs, config: Config) -> Envs:
        """Return environments that show this kind's frames, given ones that show images."""
        return envs

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "Representation":
        """Return the representation fitted to the first frames."""

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return a tree like :meth:`arrays` whose shapes and types are right: for loading."""

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "Representation":
        """Return the representation that :meth:`arrays` saved."""

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""

    def encode(self, frames: np.ndarray) -> Encoding:
        """Return the latent of each frame, with its standard deviation."""

    def decode(self, latents: Latents) -> Images:
        """Return the image of each latent.

        Raises:
            RunError: The kind has no images.
        """

    def imagine(self, num: int, *, rng: np.random.Generator) -> Latents:
        """Return goals drawn from the prior."""

    def images_of(self, frames: np.ndarray) -> Images:
        """Return the images in frames, where frames hold more."""
        return frames

    def as_goals(self, latents: Latents) -> Latents:
        """Return latents that were reached as goals: without what no goal asks for."""
        return latents

    def distance(self, latents: Latents, goals: Latents) -> Float32[np.ndarray, " N"]:
        """Return the distance of each latent from its goal."""
        assert self.weight is not None
        return -latent_reward(latents, goals, self.weight)

    def encode_and_act(
        self, actor: Actor, frames: np.ndarray, goals: Latents
    ) -> tuple[Actions, Encoding]:
        """Return the actor's actions for frames and goals, and the frames' encodings."""
        encoding = self.encode(frames)
        return self.act(actor, encoding.latent, goals), encoding

    def act(self, actor: Actor, latents: Latents, goals: Latents) -> Actions:
        """Return the actor's actions for latents and goals."""
        columns = self.input_columns
        latent, goal = jnp.asarray(latents[:, columns]), jnp.asarray(goals[:, columns])
        return np.asarray(act(actor, latent, goal))

    def finetune(
        self,
        replay: ReplayBuffer,
        config: Config,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "Representation":
        """Return the representation fitted to replay's frames; itself if it can't be fitted."""
        return self

    def reencode_goals(self, goals: Latents, new: "Representation") -> Latents:
        """Return goals of this representation as a fine-tuned one encodes them."""
        return goals

    def refresh_prior(
        self, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
    ) -> "Representation":
        """Return the same representation with a prior made from what replay holds."""
        return self


@eqx.filter_jit
def act(actor: Actor, latent: jax.Array, goal: jax.Array) -> jax.Array:
    """Return the actor's actions, compiled."""
    return actor(latent, goal)
