"""What all tests share: one seed, strict numerics, and the smallest settings that run.

Nothing of ours is imported before a test asks for it, so that shapes are checked everywhere.
"""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest
from jaxtyping import install_import_hook


WITH_SHAPES = (
    "rig.agent", "rig.compare", "rig.datasets", "rig.envs", "rig.external", "rig.goals",
    "rig.inference", "rig.nn", "rig.replay", "rig.report", "rig.representation",
    "rig.robot_env", "rig.see", "rig.serve", "rig.simulated", "rig.training", "rig.types",
)  # fmt: skip
"""What has arrays in its signatures, checked at every call. The rest has plain types, which
mypy checks; to check settings and robots at every call made their tests ten times slower."""

install_import_hook(
    WITH_SHAPES, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
)

# Tests compile many small programs and run each a few times.
jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def seed():
    """What a test draws from; `benchmarks.thresholds` runs it for others too."""
    return 0


@pytest.fixture
def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture
def key(seed):
    return jax.random.key(seed)


@pytest.fixture
def measured(request):
    """Holds a number against its threshold, three standard deviations or more from its mean.

    Another processor learns another number, as another seed does: docs/tests-on-any-cpu.md.
    """

    def compare(name, value, *, above=-np.inf, below=np.inf):
        known = (float(value), float(above), float(below))
        request.node.user_properties.append((f"measured: {name}", known))
        assert above < value < below, name

    return compare


@pytest.fixture
def terminal(monkeypatch):
    """Standard output is a terminal of 120 columns, as far as tables are concerned."""
    monkeypatch.setattr("rig.report.tables.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def strict():
    """No array becomes of another type by itself; Optax's Adam needs that they may."""
    with jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture(scope="session")
def tiny():
    """A whole run in seconds: it learns nothing, but it goes through everything."""
    from rig import config

    return config.Config(
        total_timesteps=300,
        num_envs=2,
        collect=config.CollectConfig(num_images=100),
        vae=config.VAEConfig(
            latent_dim=2,
            likelihood="gaussian",
            channels=(4, 8),
            num_components=20,
            hidden_size=8,
            batch_size=8,
            num_fit_steps=8,
            blur_sigmas_px=(6.0,),
        ),
        online=config.OnlineConfig(every_steps=200, num_fit_steps=2),
        td3=config.TD3Config(hidden_sizes=(8,), batch_size=8, utd_ratio=0.1, learning_starts=0),
        evaluate=config.EvaluateConfig(every_steps=200, num_goals=2, num_probes=100),
    )


@pytest.fixture(scope="session")
def tiny_keypoints(tiny):
    """The same with quantile keypoints."""
    return replace(tiny, vae=replace(tiny.vae, architecture="quantile_keypoints"))


@pytest.fixture(scope="session")
def tiny_oracle(tiny):
    """The same with the true state in place of images."""
    return replace(tiny, oracle=True)


@pytest.fixture(scope="session")
def every_kind(tiny):
    """The same for four kinds of representation: a checkpoint in every round, and a buffer so
    small that its ring wraps around."""
    from rig import config

    small = replace(tiny, buffer_size=200, checkpoint=config.CheckpointConfig(every_steps=100))
    hindsight = config.GoalMixture(original=0.2, future=0.8, prior=0.0)
    return {
        "latents": replace(small, reward=config.RewardConfig(kind="auto")),
        "things": replace(
            small,
            task="PushTwo",
            vae=replace(tiny.vae, architecture="quantile_keypoints", latent_dim=8),
            goals=config.GoalConfig(
                source="composed", refresh_every_steps=200, by_thing=0.5, per_rollout=2
            ),
            replay=config.ReplayConfig(prioritized=0.5),
            reward=config.RewardConfig(kind="auto", by_thing=True),
            td3=replace(tiny.td3, gamma="auto", n_steps=3),
            explore=replace(tiny.explore, random_eps=0.2, random_duration="auto"),
        ),
        "pixels": replace(
            small,
            goals=config.GoalConfig(source="seen", refresh_every_steps=200, mixture=hindsight),
            reward=config.RewardConfig(kind="pixel_sparse"),
            td3=replace(tiny.td3, channels=(2, 3)),
        ),
        "hybrid": replace(
            small,
            input="true",
            goals=config.GoalConfig(source="composed", refresh_every_steps=200),
            reward=config.RewardConfig(kind="sqrt_distance"),
            checkpoint=config.CheckpointConfig(every_steps=100, keep_finished=True),
        ),
    }


@pytest.fixture(scope="session")
def finished_run(every_kind, tmp_path_factory):
    """Returns the finished run of a kind, which nothing disturbed; each is trained once."""
    from rig.runs.run import Run
    from rig.training.run_training import train_run

    @cache
    def trained(kind):
        run = Run.create(tmp_path_factory.mktemp(kind) / "run", every_kind[kind], {})
        train_run(run)
        return run

    return trained
