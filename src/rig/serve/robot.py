"""The robot: one thread that moves it, and how to make it go and stop.

A stop is an event that the thread looks at right before each step and while it waits for the
next one, so that at most the step that has begun is finished. While the robot moves, the tab
that drives it sends a beat; without one it stops.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from queue import SimpleQueue
from threading import RLock, Thread
from typing import Any

from rig.errors import RigError
from rig.serve.attempt_loop import begin_first, move_to_goal, new_recording, show
from rig.serve.attempts import AttemptStore, Recording, busy
from rig.serve.errors import RequestError
from rig.serve.goals import Goal
from rig.serve.hub import Hub
from rig.serve.robot_status import LOST, STOPPED, State, Status
from rig.serve.stop_signal import StopSignal, WaitEndedError
from rig.serve.trained import Trained


Job = Callable[[], None]
log = logging.getLogger("rig.serve")


class Robot:
    """One robot, moved by a thread of its own."""

    def __init__(self, hub: Hub, attempts: AttemptStore) -> None:
        self._hub = hub
        self._attempts = attempts
        self._lock = RLock()
        self._status = Status()
        self._trained: Trained | None = None
        self._signal = StopSignal()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._has_stop = False
        self._thread = Thread(target=self._work, name="robot", daemon=True)
        self._thread.start()

    @property
    def status(self) -> Status:
        """Return what the robot does."""
        return self._status

    def wake(self, run_id: str, load: Callable[[], Trained], *, again: bool = False) -> None:
        """Make the robot use a run's policy; ``again`` loads the newest one.

        Raises:
            RequestError: It moves.
        """
        with self._lock:
            self._check_still()
            is_awake = self._status.state in ("ready", "held")
            if is_awake and self._status.run == run_id and not again:
                return
            self._signal.arm(is_driven=False)
            self._set(Status(state="waking", run=run_id))
        self._jobs.put(lambda: self._wake(load))

    def go(
        self, goal: Goal, client: str, *, is_reset: bool, speed: float, is_driven: bool = True
    ) -> str:
        """Begin an attempt at a goal; return its id.

        Args:
            goal: Of the run that the robot uses.
            client: Who drives it from now on.
            is_reset: Begin at the start, and not where the robot is.
            speed: One of ``SPEEDS``.
            is_driven: Whether the client must send beats.

        Raises:
            RequestError: The robot moves, or it uses another run.
        """
        with self._lock:
            trained = self._awake()
            if goal.run != trained.id:
                raise RequestError(
                    409, "other_run", "the goal is another run's", "make a new one"
                )
            recording = new_recording(goal, trained)
            self._signal.arm(is_driven=is_driven)
            self._change(
                state="moving", driver=client, attempt=recording.id, goal=goal.id, reason=""
            )
        self._attempts.add(recording)
        self._jobs.put(lambda: self._drive(trained, recording, is_reset, speed))
        return recording.id

    def stop(self, reason: str) -> None:
        """Stop the robot, whatever it does; it is held then.

        Stop a real arm even when the page shows it as ready: after an attempt it drives home.
        """
        with self._lock:
            self._halt(reason)
            if not self._has_stop:
                self._has_stop = True
                self._jobs.put(self._stop_arm)

    def _halt(self, reason: str) -> None:
        """End what the robot does; nothing happens if it does nothing."""
        with self._lock:
            if self._status.state in ("moving", "waking", "stopping"):
                self._signal.set()
            if self._status.state == "moving":
                self._change(state="stopping", reason=reason)

    def reset(self) -> None:
        """Put the robot at its start.

        Raises:
            RequestError: It moves, or is not awake.
        """
        with self._lock:
            self._awake()
            self._signal.arm(is_driven=False)
            self._change(state="stopping", reason="")
        self._jobs.put(self._reset)

    def beat(self, client: str) -> None:
        """Note that the client that drives is still there."""
        if self._status.driver == client:
            self._signal.beat()

    def leave(self, client: str) -> None:
        """Stop the robot if this client, which is gone, drives it."""
        if self._status.driver == client and self._signal.is_driven:
            self._halt("The tab that drove it was closed.")

    def close(self) -> None:
        """Stop the robot and end its thread."""
        self._halt("rig serve has ended.")
        self._jobs.put(None)
        self._thread.join(timeout=5)

    def _check_still(self) -> None:
        if self._status.state in ("waking", "moving", "stopping"):
            raise busy(self._status.state)

    def _awake(self) -> Trained:
        """Return what the robot uses; raise RequestError if it moves, or is not awake."""
        self._check_still()
        if self._trained is None or self._status.state not in ("ready", "held"):
            raise RequestError(409, "asleep", "the robot is not awake", "wake it first")
        return self._trained

    def _set(self, status: Status) -> None:
        self._status = status
        self._hub.publish("robot", **asdict(status))

    def _change(self, **values: Any) -> None:
        self._set(replace(self._status, **values))

    def _work(self) -> None:
        """Do one job after the other; a fault ends the job, not the thread."""
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except WaitEndedError:
                self._end_wait()
            except RigError as error:
                self._fault(str(error))
            except Exception as error:
                log.exception("the robot has a fault")
                what = f"{type(error).__name__}: {error}".splitlines()[0]
                self._fault(f"{what}; the traceback is in the terminal")
        if self._trained is not None:
            self._trained.arm.close()

    def _fault(self, reason: str) -> None:
        with self._lock:
            self._change(state="fault", driver=None, reason=reason)

    def _say(self, text: str) -> None:
        """Show what a real robot waits for; an empty text: nothing."""
        with self._lock:
            is_news = text != self._status.reason
            if is_news and self._status.state in ("moving", "waking"):
                self._change(reason=text)

    def _stop_arm(self) -> None:
        """Stop a real arm, and hold it."""
        self._has_stop = False
        if self._trained is not None and self._trained.arm.is_real:
            self._trained.arm.stop(STOPPED)
            with self._lock:
                if self._status.state == "ready":
                    self._change(state="held", reason=STOPPED)

    def _end_wait(self) -> None:
        """Stop a real robot that was on its way home, and hold it."""
        if self._trained is not None:
            self._trained.arm.stop(STOPPED)
        with self._lock:
            state: State = "asleep" if self._trained is None else "held"
            self._change(state=state, reason=STOPPED)

    def _wake(self, load: Callable[[], Trained]) -> None:
        old, self._trained = self._trained, None
        if old is not None:
            old.arm.close()
        trained = load()
        trained.arm.listen(self._say, self._signal.check)
        begin_first(trained, self._hub)
        with self._lock:
            self._trained = trained
            self._change(
                state="ready",
                reason="",
                num_steps=trained.arm.num_steps,
                num_env_steps=trained.num_env_steps,
                can_continue=trained.arm.can_continue,
            )

    def _reset(self) -> None:
        trained = self._trained
        assert trained is not None
        seen = trained.arm.begin(None, is_reset=True)
        show(self._hub, seen, trained.decode(trained.encode(seen.image)))
        with self._lock:
            self._change(state="ready", attempt=None, goal=None)

    def _drive(
        self, trained: Trained, recording: Recording, is_reset: bool, speed: float
    ) -> None:
        why = "fault"
        try:
            why = move_to_goal(
                trained, recording, self._hub, self._signal, is_reset=is_reset, speed=speed
            )
        finally:
            if why != "done":
                trained.arm.stop(self._status.reason or why)
            recording.why = why
            if why != "fault":  # a tab that hears of the end may send it off again
                self._stand(why)
            self._hub.publish("attempt_end", **recording.as_json())

    def _stand(self, why: str) -> None:
        """Note that an attempt has ended, and why."""
        with self._lock:
            state: State = "ready" if why == "done" else "held"
            reason = LOST if why == "lost" else "" if why == "done" else self._status.reason
            self._change(state=state, driver=None, reason=reason)
