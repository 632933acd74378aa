"""What may be wrong with a run: its metrics compared with what they should be."""

from collections.abc import Callable, Sequence

from rig.report.run_facts import Facts


MISSED_SHARE = 0.5
"""A quantity is missed if its probe errs by more than this share of a blind guess's error."""
LEAST_CORRELATION = 0.2
"""Below this correlation with true distance, latent distance is a poor reward."""
LEAST_TIME_CORRELATION = 0.1
"""Below this correlation with time, latent distance does not follow what the robot does."""
LEAST_MOVED_SHARE = 0.05
"""An object that fewer episodes move is hardly learned about."""
LEAST_COVERAGE = 0.25
"""Below this share of cells that practice visited, goals are mostly guesses."""
LEAST_WEIGHT = 0.05
"""A latent of less weight hardly counts in the reward."""
LEAST_KL_NATS = 0.01
"""A latent with less information has collapsed onto the prior."""
NOT_LEARNED_SHARE = 0.9
"""Above this share of the no-op policy's distance, the policy is no better."""
BLIND_GUESS = "knowing_nothing"

Findings = list[str]


def findings(facts: Facts) -> Findings:
    """Return a sentence for each number that stands out, causes before their effects."""
    return [text for check in CHECKS for text in check(facts)]


def missed_quantities(facts: Facts) -> Findings:
    """Find quantities that a probe can hardly read off the latents."""
    found = []
    for key in filter(is_probe_error, facts.names()):
        error, blind = facts.last(key) or 0.0, facts.last(blind_guess_of(key)) or 0.0
        quantity, _, unit = key.removeprefix("probe/").rpartition("_")
        if blind and error > MISSED_SHARE * blind:
            found.append(
                f"The latents hardly encode {quantity.replace('_', ' ')}: a probe of them is "
                f"{error:.2f} {unit} off, a blind guess {blind:.2f} {unit}. See whether the "
                "reconstructions show it. If they do not, collect more images "
                "(--collect.num-images) or use more latents (--vae.latent-dim)."
            )
    return found


def poor_distances(facts: Facts) -> Findings:
    """Find latent distances that hardly agree with true distance, or with time."""
    found = []
    for name, value in facts.last_between("probe/", "_distance_correlation").items():
        least = LEAST_TIME_CORRELATION if name == "time" else LEAST_CORRELATION
        what = "time between frames" if name == "time" else f"the true distance of the {name}"
        if value < least:
            found.append(
                f"Latent distance hardly agrees with {what}: their correlation is {value:.2f}, "
                f"less than {least}. Latent distance is the reward. See the latent traversals "
                "below for what else the latents encode, and try another --vae.architecture "
                "or --reward.kind."
            )
    return found


def collapsed_latents(facts: Facts) -> Findings:
    """Find latents that hold no information, or count for nothing in the reward."""
    kl, light = facts.last_between("vae/kl_", "_nats"), light_latents(facts)
    empty = [name for name, value in kl.items() if value < LEAST_KL_NATS and name not in light]
    found = []
    if empty:
        found.append(
            f"{in_words(empty)} collapsed onto the prior, with less than {LEAST_KL_NATS} nats. "
            "Lower --vae.beta, or fit for longer (--vae.num-fit-steps)."
        )
    if light and missed_quantities(facts):
        found.append(
            f"{in_words(light)} hardly vary and weigh less than {LEAST_WEIGHT} in the reward, "
            "and the latents miss a quantity. Lower --vae.whiten-floor."
        )
    return found


def light_latents(facts: Facts) -> list[str]:
    """Return the latents of little weight; good runs have some too."""
    weight = facts.last_between("vae/weight_", "")
    return [name for name, value in weight.items() if value < LEAST_WEIGHT]


def in_words(latents: Sequence[str]) -> str:
    """Return the latents as text, as ``Latents 1, 2``."""
    return f"{'Latent' if len(latents) == 1 else 'Latents'} {', '.join(latents)}"


def little_practice(facts: Facts) -> Findings:
    """Find objects that practice hardly moved, or only near their start."""
    found = []
    for name in facts.last_between("practice/", "_moved_share"):
        share = facts.mean(f"practice/{name}_moved_share")
        if share < LEAST_MOVED_SHARE:
            found.append(
                f"Practice moved the {name} in only {share:.0%} of its episodes, and what "
                "never moves can't be learned. Explore more (--explore.random-eps, "
                "--explore.sigma) or train for longer (--total-timesteps)."
            )
    for name, covered in facts.last_between("practice/", "_coverage").items():
        if covered < LEAST_COVERAGE:
            found.append(
                f"Practice brought the {name} to only {covered:.0%} of the goal region, so "
                "that goals elsewhere are guesses. Sample rare goals more often "
                "(--goals.source composed) or train for longer (--total-timesteps)."
            )
    return found


def nothing_learned(facts: Facts) -> Findings:
    """Find objects that end about as far from their goals as with the no-op policy."""
    found = []
    for name, values in facts.evaluation.get("distances", {}).items():
        median, no_op = values["median"], values["do_nothing_median"]
        if no_op and median > NOT_LEARNED_SHARE * no_op:
            found.append(
                f"The {name.rpartition('_')[0]} ends at {median / no_op:.0%} of the no-op "
                "policy's distance. Train for longer. With --oracle it should learn; if not, "
                "the cause is not the latents. --input true and --reward.distance true show "
                "whether what the policy sees or the reward causes it "
                "(docs/when-it-does-not-learn.md)."
            )
    return found


CHECKS: tuple[Callable[[Facts], Findings], ...] = (
    missed_quantities,
    poor_distances,
    collapsed_latents,
    little_practice,
    nothing_learned,
)


def is_probe_error(key: str) -> bool:
    """Return whether a metric is a probe's error, not a correlation or a blind guess."""
    is_error = key.startswith("probe/") and not key.endswith("_correlation")
    return is_error and BLIND_GUESS not in key


def blind_guess_of(key: str) -> str:
    """Return the metric with the error of a blind guess, for the metric of a probe's error."""
    quantity, _, unit = key.rpartition("_")
    return f"{quantity}_{BLIND_GUESS}_{unit}"
