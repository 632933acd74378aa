"""All that the routes share: one value, made when the server starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from starlette.requests import HTTPConnection

from rig.errors import RigError
from rig.runs.run import Run
from rig.serve.attempts import AttemptStore
from rig.serve.decoder import Decoder
from rig.serve.errors import RequestError
from rig.serve.goals import GoalStore
from rig.serve.hub import Hub
from rig.serve.metrics_tail import MetricsTail
from rig.serve.rate import CommandRates
from rig.serve.robot import Robot
from rig.serve.run_index import RunIndex, policy_directory
from rig.serve.trained import Trained, open_to_use


@dataclass(kw_only=True)
class ServerState:
    """The runs, the robot, the goals, the attempts and the browsers of one server."""

    index: RunIndex
    hub: Hub
    robot: Robot
    goals: GoalStore
    attempts: AttemptStore
    version: str
    is_read_only: bool = False
    decoder: Decoder = field(default_factory=Decoder)
    command_rates: CommandRates = field(default_factory=CommandRates)
    _tails: dict[str, MetricsTail] = field(default_factory=dict)
    _trained: dict[str, Trained] = field(default_factory=dict)
    _loading: Lock = field(default_factory=Lock)

    def tail(self, run_id: str) -> MetricsTail:
        """Return the reader of a run's metrics."""
        directory = self.index.place(run_id).directory
        return self._tails.setdefault(run_id, MetricsTail(directory))

    def check_can_reach(self, run_id: str) -> Run:
        """Return a run whose robot may be used.

        Raises:
            RequestError: It may not, and why.
        """
        run = self.index.open(run_id)
        if why := self.index.why_not(run, self.index.place(run_id)):
            raise RequestError(409, "cannot_reach", why, "")
        return run

    def loader(self, run_id: str) -> Callable[[], Trained]:
        """Return what loads a run's policy; it takes seconds.

        Raises:
            RequestError: Its robot may not be used, and why.
        """
        run = self.check_can_reach(run_id)
        directory = policy_directory(run)
        assert directory is not None

        def load() -> Trained:
            with self._loading:
                self._trained.clear()
                self._trained[run_id] = open_to_use(run_id, directory)
                return self._trained[run_id]

        return load

    def trained(self, run_id: str) -> Trained:
        """Return the trained run that the robot uses.

        Raises:
            RequestError: The robot is not awake with this run.
        """
        self.index.place(run_id)
        found = self._trained.get(run_id)
        if found is None or self.robot.status.run != run_id:
            raise RequestError(409, "asleep", "the robot is not awake", "wake it first")
        return found


def state_of(connection: HTTPConnection) -> ServerState:
    """Return the state of the server that a request came to."""
    state: ServerState = connection.app.state.server
    return state


def as_request_error(error: RigError) -> RequestError:
    """Return any of our errors as the answer to a request."""
    if isinstance(error, RequestError):
        return error
    return RequestError(422, type(error).__name__, str(error), "")


Values = dict[str, Any]
