"""``rig robot check CONFIG.toml``: everything that has to be right before an arm practises."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from rig.errors import RobotError
from rig.robots.config import RobotConfig
from rig.robots.read_config import read_config


class PersonHere:
    """The person at this terminal."""

    def __init__(self, config: RobotConfig, *, is_asked: bool) -> None:
        self._config, self._is_asked = config, is_asked

    def ask(self, text: str) -> None:
        """Show a line, and wait for Enter."""
        sys.stderr.write(f"rig robot: {text}{' [Enter] ' if self._is_asked else ''}\n")
        sys.stderr.flush()
        if self._is_asked and not sys.stdin.readline():
            raise RobotError("nobody is here to answer: run the check in a terminal")

    def say(self, word: str) -> None:
        """Say a word to the server."""
        from rig.robots.person import say

        say(self._config, word)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the file of a server that runs")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="ask nothing: for a simulated robot only",
    )


def run(options: argparse.Namespace) -> None:
    """Check, print, and write the report next to the file.

    Raises:
        RobotError: Something is wrong, or no server answers.
    """
    from rig.robot_check.procedure import Check
    from rig.robot_check.result import Report, report_path, write_report
    from rig.robots.client import RobotClient

    config = read_config(options.config)
    if options.yes and not config.type.startswith("sim:"):
        raise RobotError("--yes is for simulated robots: a person has to watch a real one")
    person = PersonHere(config, is_asked=not options.yes)
    results = []
    endpoint = f"tcp://{config.wire.address}:{config.wire.port}"
    path = report_path(Path(options.config))
    with RobotClient.connect(endpoint, "check") as client:
        path.unlink(missing_ok=True)  # a check that is not ended allows nothing
        try:
            for result in Check(client, config, person).run():
                sys.stdout.write(f"{'ok   ' if result.is_right else 'WRONG'} {result.text}\n")
                sys.stdout.flush()
                results.append(result)
        except KeyboardInterrupt:
            client.stop("the check was interrupted")
            raise
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    report = Report(config.digest, date, results)
    write_report(path, report)
    sys.stdout.write(f"{path.with_suffix('.html')}\n")
    if num := report.delay_steps(config.session.step_s):
        sys.stdout.write(
            f"for this delay: rig train --practice.delay stack --practice.num-stacked {num}\n"
        )
    if not report.is_right:
        raise RobotError("something is wrong: put it right, then check again")
