"""Check that a refactoring changed nothing but names.

::

    python -m benchmarks.parity record --src CHECKOUT/src --out FILE.json
    python -m benchmarks.parity compare BEFORE.json AFTER.json

``record`` trains a tiny run of each kind with the code of a checkout, on one thread and from
a fixed seed, and writes hashes of what the runs left; ``compare`` reports for each run
whether two records agree, and if not, in which parts they differ; it exits with 1 if any run
differs. Record both on the same machine with the same packages: other processors round
differently.

No hash depends on a name: arrays count as a multiset of shapes, types and bytes, and JSON as
a multiset of numbers. Settings that the change renames are in one table.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.checkout import Checkout, output


Setting = bool | float | str | tuple[int, ...]
Settings = Mapping[str, Setting]
Arrays = Counter[str]
"""Number of times that an array occurs, by its :func:`digest`."""

NEW_NAMES = {
    "num_env_steps": "total_timesteps",
    "num_worlds": "num_envs",
    "replay_size": "buffer_size",
    "collect.persistence": "collect.action_correlation",
    "vae.latent_size": "vae.latent_dim",
    "goals.mixture.kept": "goals.mixture.original",
    "goals.mixture.imagined": "goals.mixture.prior",
    "td3.warmup_steps": "td3.learning_starts",
    "td3.updates_per_step": "td3.utd_ratio",
    "td3.target_noise": "td3.target_policy_noise",
    "td3.final_learning_rate_share": "td3.final_lr_fraction",
    "explore.random_share": "explore.random_eps",
}
"""What a setting is called now, by what it was called at ad3f679."""
NEW_VALUES = {("reward.kind", "root"): "sqrt_distance"}
"""The same for what a setting is set to, by its old name and value."""
SIGN_OF_NEW_NAMES = "total_timesteps"

TINY: Settings = {
    "num_env_steps": 900,
    "num_worlds": 2,
    "replay_size": 600,
    "collect.num_images": 200,
    "vae.num_fit_steps": 8,
    "vae.batch_size": 16,
    "vae.num_components": 16,
    "vae.hidden_size": 16,
    "td3.hidden_sizes": (16, 16),
    "td3.batch_size": 16,
    "td3.warmup_steps": 200,
    "td3.updates_per_step": 0.2,
    "goals.refresh_every_steps": 200,
    "evaluate.every_steps": 400,
    "evaluate.num_goals": 4,
    "evaluate.num_probes": 100,
    "checkpoint.every_steps": 300,
    "checkpoint.keep_finished": True,
}
"""Make a run short: collect images, fit, train for seven rounds of two episodes with updates,
refresh the prior, overwrite old transitions and save five checkpoints."""
RENAMED: Settings = {
    "collect.persistence": 0.8,
    "vae.latent_size": 8,
    "goals.mixture.kept": 0.25,
    "goals.mixture.future": 0.35,
    "goals.mixture.imagined": 0.4,
    "reward.kind": "root",
    "td3.target_noise": 0.1,
    "td3.final_learning_rate_share": 0.3,
    "explore.random_share": 0.1,
}
"""The names of the table that :data:`TINY` does not use."""
REFITTED: Settings = {"online.every_steps": 300, "online.num_fit_steps": 4}
"""Fit the VAE again during training, so that the replay buffer is encoded again."""
DOT = ("--env", "parity_dot:Parity/Dot-v0")
RUNS: Mapping[str, tuple[Sequence[str], str, Settings]] = {
    "reach-fast": (("Reach",), "fast", {}),
    "reach-fast-renamed": (("Reach",), "fast", RENAMED),
    "reach-fast-oracle": (("Reach",), "fast", {"oracle": True}),
    "reach-her": (("Reach",), "her", {"td3.batch_size": 8}),
    "push-fast": (("Push",), "fast", {}),
    "push-fast-true-input": (("Push",), "fast", {"input": "true"}),
    "push-fast-true-reward": (("Push",), "fast", {"reward.distance": "true"}),
    "push-paper": (("Push",), "paper", {"vae.channels": (4, 8)} | REFITTED),
    "pick-and-place-fast": (("PickAndPlace",), "fast", {}),
    "door-reset-free-fast": (("DoorResetFree",), "fast", REFITTED),
    "dot-fast": (DOT, "fast", {"num_env_steps": 700}),
}
"""What is trained, from which preset, and what is set besides :data:`TINY`."""

CLOCKS = ("wall_s", "evaluation_s")
"""Metrics that no two runs share; so are those whose names end as a speed's."""
SPEED_ENDINGS = ("/s", "_per_s", "per_second")
SAME = "same"
"""The verdict on a run in which two records agree."""
HEADER_SIZE_BYTES = 8
"""Of the number that begins a safetensors file: how long its header is."""


def main() -> int:
    """Do what the command line asks; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("record", help="train, and write hashes of what is left")
    command.add_argument("--src", type=Path, required=True, help="the src of a checkout")
    command.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    command.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), metavar="RUN")
    command = commands.add_parser("compare", help="say which runs two records agree in")
    command.add_argument("before", type=Path)
    command.add_argument("after", type=Path)
    asked = parser.parse_args()
    if asked.command == "record":
        return record(asked.src, asked.out, asked.only)
    return compare(*(json.loads(path.read_text()) for path in (asked.before, asked.after)))


def record(src: Path, out: Path, names: Iterable[str]) -> int:
    """Train the runs of these names, and write what they left as hashes."""
    checkout, found = Checkout.at(src), {}
    for name in names:
        start_s = perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            found[name] = left_by(train(checkout, name, Path(scratch)))
        print(f"{name}: {perf_counter() - start_s:.0f} s", flush=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def train(checkout: Checkout, name: str, scratch: Path) -> Path:
    """Train one run with the code of a checkout; return its directory."""
    what, preset, settings = RUNS[name]
    options = arguments(TINY | settings, are_new=SIGN_OF_NEW_NAMES in checkout.settings)
    asked = ["train", *what, "--preset", preset, *options, "--out", "run"]
    command = checkout.command(asked, extra=Path(__file__).resolve().parent)
    output(command, checkout.src, directory=scratch)
    return scratch / "run"


def arguments(settings: Settings, *, are_new: bool) -> list[str]:
    """Return settings under their old names as options under the names of the code."""
    options = []
    for name, value in settings.items():
        shown, set_to = name, value
        if are_new:
            shown = NEW_NAMES.get(name, name)
            set_to = NEW_VALUES.get((name, str(value)), value)
        options.append("--" + shown.replace("_", "-"))
        if isinstance(set_to, tuple):
            options += map(str, set_to)
        elif set_to is not True:
            options.append(str(set_to))
    return options


def left_by(run: Path) -> dict[str, Any]:
    """Return the hashes of each part of what a finished run left."""
    checkpoint = max(run.glob("checkpoints/[0-9]*"))
    policy = arrays_of(run.glob("policy/*.safetensors"))
    saved = arrays_of(checkpoint.glob("*.safetensors"))
    lasting = arrays_of(run.glob("checkpoints/[!0-9]*/*.safetensors"))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {
        "policy": hash_of(policy),
        "replay": hash_of(saved - policy + lasting),
        "state": hash_of(numbers(json.loads((checkpoint / "state.json").read_text()))),
        "metrics": [hash_of(numbers(without_clocks(row))) for row in rows],
        "evaluation": hash_of(numbers(json.loads((run / "evaluation.json").read_text()))),
    }


def arrays_of(files: Iterable[Path]) -> Arrays:
    """Return what arrays some safetensors files hold, whatever they are called.

    Raises:
        SystemExit: There is none: the layout of runs is not the one that is looked for.
    """
    found = Counter(digest for file in files for digest in digests(file.read_bytes()))
    if not found:
        raise SystemExit("the run left no arrays where they are looked for")
    return found


def digests(file: bytes) -> Iterator[str]:
    """Yield the hash of the shape, type and bytes of each array of a safetensors file."""
    size = int.from_bytes(file[:HEADER_SIZE_BYTES], "little")
    data = memoryview(file)[HEADER_SIZE_BYTES + size :]
    header = json.loads(file[HEADER_SIZE_BYTES:][:size])
    header.pop("__metadata__", None)
    for about in header.values():
        first, end = about["data_offsets"]
        kind = json.dumps([about["dtype"], about["shape"]]).encode()
        yield sha256(kind + data[first:end]).hexdigest()


def without_clocks(row: Mapping[str, float]) -> dict[str, float]:
    """Return a row of metrics without the times and speeds."""
    return {
        name: value
        for name, value in row.items()
        if name not in CLOCKS and not name.endswith(SPEED_ENDINGS)
    }


def numbers(value: Any) -> Counter[str]:
    """Return how often each number is in a JSON value, at any depth and under any name."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    if isinstance(value, list):
        return sum(map(numbers, value), Counter())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Counter([repr(value)] if is_number else [])


def hash_of(counted: Counter[str]) -> str:
    """Return the hash of a multiset."""
    return sha256("\n".join(sorted(counted.elements())).encode()).hexdigest()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Print for each run whether two records agree; return 1 if any run differs."""
    verdicts = {
        name: verdict(before[name], after[name])
        if name in before and name in after
        else f"only in the {'first' if name in before else 'second'} record"
        for name in {**before, **after}
    }
    for name, said in verdicts.items():
        print(f"{name}: {said}")
    return int(any(said != SAME for said in verdicts.values()))


def verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return in which parts two records of one run differ."""
    parts = [name for name in before if before[name] != after[name]]
    shown = [
        f"metrics ({first_other_row(before[name], after[name])})" if name == "metrics" else name
        for name in parts
    ]
    return f"differs in {', '.join(shown)}" if shown else SAME


def first_other_row(before: Sequence[str], after: Sequence[str]) -> str:
    """Return the first row in which two lists differ."""
    pairs = zip(before, after, strict=False)
    same = next((i for i, (one, other) in enumerate(pairs) if one != other), None)
    if same is None:
        return f"{len(before)} rows, then {len(after)}"
    return f"from row {same + 1}"


if __name__ == "__main__":
    sys.exit(main())
