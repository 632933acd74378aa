"""The arm's side of the wire: takes messages, runs the guard, and answers. No sockets here.

:meth:`RobotServer.handle` takes one message of a client, :meth:`RobotServer.tick` runs the
guard once; both return the answers that are due. :mod:`rig.robots.serve` calls them on the
real clock over ZMQ; tests call them on a simulated one.
"""

import math
from dataclasses import replace

from rig.robots.answers import Answer, Waiting
from rig.robots.arm import Arm, Reading
from rig.robots.camera_feed import CameraFeed
from rig.robots.clock import Clock
from rig.robots.config import RobotConfig
from rig.robots.guard import Guard
from rig.robots.guard_inputs import Decision, Doing, Inputs, Mode
from rig.robots.kinematics import Kinematics
from rig.robots.lease import Lease
from rig.robots.mailbox import Mailbox
from rig.robots.message import MessageError, Request, decode_request, encode, printable
from rig.robots.state_message import describe, image_head, state_head


MAX_WAIT_S = 60.0
MAX_WHY = 200


class RobotServer:
    """One arm, one camera, one guard, one client at a time."""

    def __init__(
        self,
        config: RobotConfig,
        arm: Arm,
        kinematics: Kinematics,
        camera: CameraFeed,
        clock: Clock,
        *,
        is_simulated_time: bool = False,
    ) -> None:
        self.config = config
        self.clock = clock
        self.arm = arm
        self.camera = camera
        self.guard = Guard(config, kinematics, arm.calibration_problem(config.arm))
        self.lease = Lease(config.wire)
        self.log: list[str] = []
        """Lines since it was emptied last: what the guard did, and why."""
        self.dropped = 0
        self.reading = Reading(None)
        self.decision = Decision(None, Mode.OFF, "", Doing.IDLE, False, False)
        self.start_s = clock.now_s()
        self._is_simulated_time = is_simulated_time
        self._mailbox = Mailbox()
        self._waiting: Waiting | None = None
        self._is_written = True
        self._step_due_s = -math.inf
        self._seq = -1

    @property
    def is_waiting(self) -> bool:
        """Whether a client waits for an answer."""
        return self._waiting is not None

    def person(self, word: str) -> None:
        """Hear a word of the person at the robot: one of :data:`rig.robots.mailbox.WORDS`."""
        if word == "stop":
            self.stop("a person stopped the arm")
        elif word == "rest":
            self.rest("a person asked for it")
        else:
            self._mailbox.words.add(word)

    def stop(self, why: str) -> None:
        """Stop the arm in the next tick."""
        self._mailbox.stop = why

    def rest(self, why: str) -> None:
        """Go to the rest pose; an arm that is not armed stays."""
        self._mailbox.rest = why

    def tick(self) -> list[Answer]:
        """Run the guard once, and return the answers that are due; nothing here raises."""
        try:
            return self._tick()
        except Exception as error:  # noqa: BLE001  whatever broke: the arm stops, and holds
            text = f"the server itself failed: {type(error).__name__}: {error}"
            self.guard.fail(text)
            self.log.append(f"STOPPED: {text}")
            self.decision = replace(self.decision, mode=Mode.STOPPED, why=text, spoiled=True)
            return []

    def _tick(self) -> list[Answer]:
        reading = self.arm.read()
        now_s = self.clock.now_s()  # after the read: one that blocked is a gap
        # A write that failed counts as a failed read: the bus is one.
        self.reading = reading if self._is_written else replace(reading, joints=None)
        self.camera.update(self.reading.images)
        if self.decision.mode == Mode.OFF:
            if self.reading.joints is None:
                self._mailbox = Mailbox(stop=self._mailbox.stop)
                return []
            self.guard.connect(self.reading.joints, now_s)
        self.decision = self.guard.tick(now_s, self._inputs())
        self.log += self.decision.events
        target = self.decision.target
        self._is_written = target is None or self.arm.write(target)
        return self._due(now_s)

    def handle(self, client: bytes, frames: list[bytes]) -> list[Answer]:
        """Take one message of a client; whatever it is, nothing here raises."""
        seq = -1
        try:
            request = decode_request(frames)
            seq = request.seq
            return self._handle(client, request)
        except MessageError as error:
            return [self._refusal(client, seq, str(error))]
        except Exception as error:  # noqa: BLE001  whatever broke: the server lives, and holds
            text = f"the server failed on a request: {type(error).__name__}: {error}"
            self._mailbox.doubt = printable(text, MAX_WHY)
            self.log.append(self._mailbox.doubt)
            return [self._refusal(client, seq, self._mailbox.doubt)]

    def _handle(self, client: bytes, request: Request) -> list[Answer]:
        if request.type == "stop":
            self.stop(f"a client stopped the arm: {printable(request.why, MAX_WHY)}")
            return [self._state(client, request.seq)]
        now_s = self.clock.now_s()
        judge = self.lease.take if request.type == "hello" else self.lease.check
        if why := judge(request, now_s):
            return [self._refusal(client, request.seq, why)]
        return self._serve(client, request, now_s)

    def _serve(self, client: bytes, request: Request, now_s: float) -> list[Answer]:
        """Do what the client with the lease asks for."""
        if request.type == "hello":
            self.log.append(f"{self.lease.name} has the lease")
            head = describe(self.config, self.arm.robot.name, self._is_simulated_time)
            welcome = {"type": "welcome", "answers": request.seq, "lease": self.lease.token}
            return [*self._flush(), Answer(client, encode({**welcome, "robot": head}))]
        if request.type == "bye":
            self.lease.give_back()
            return [*self._flush(), self._state(client, request.seq)]
        if request.type in ("act", "observe"):
            return self._wait(client, request, now_s)
        self._mailbox.begin |= request.type == "begin"
        self._mailbox.home |= request.type == "home"
        # Answered after the next tick, which obeys it.
        return self._put(Waiting(client, request, now_s, self._frame_seq))

    def _wait(self, client: bytes, request: Request, now_s: float) -> list[Answer]:
        """Take an action or a look; its answer is due later."""
        if request.type == "observe":
            wait_s = min(max(request.wait_ms / 1000, 0.0), MAX_WAIT_S)
            return self._put(Waiting(client, request, now_s + wait_s, self._frame_seq))
        if len(request.action) != len(self.config.axes):
            self._mailbox.dropped = True
            num = len(self.config.axes)
            why = f"an action of this robot has {num} numbers, got {len(request.action)}"
            return [self._refusal(client, request.seq, why)]
        if self.lease.is_late(request, now_s) and all(map(math.isfinite, request.action)):
            self.dropped += 1
            self._mailbox.dropped = True
            return self._put(Waiting(client, request, now_s, self._frame_seq))
        self._mailbox.action = request.action
        settle_s = self.config.session.settle_s
        due_s = now_s + settle_s if request.settle else self._step_due(now_s)
        return self._put(Waiting(client, request, due_s, self._frame_seq))

    def _step_due(self, now_s: float) -> float:
        """Return when a step ends: one after the last, but from half of one to one from now."""
        step_s = self.config.session.step_s
        next_s = self._step_due_s + step_s
        next_s = now_s + step_s if next_s < now_s else min(next_s, now_s + step_s)
        self._step_due_s = max(next_s, now_s + step_s / 2)
        return self._step_due_s

    @property
    def _frame_seq(self) -> int:
        return self.camera.newest.facts.seq if self.camera.newest else -1

    def _put(self, waiting: Waiting) -> list[Answer]:
        """Let a request wait; one that waited before is answered now."""
        answers = self._flush()
        self._waiting = waiting
        return answers

    def _flush(self) -> list[Answer]:
        """Answer a request that waits, due or not."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return []
        return [self._state(waiting.client, waiting.request.seq, taken=waiting.taken)]

    def _due(self, now_s: float) -> list[Answer]:
        """Return the answer of the request that waits, if it is due."""
        waiting = self._waiting
        if waiting is None:
            return []
        waiting.taken |= self.decision.taken
        self.lease.hear(now_s)
        return self._flush() if self._is_due(waiting, now_s) else []

    def _is_due(self, waiting: Waiting, now_s: float) -> bool:
        request, decision = waiting.request, self.decision
        if now_s >= waiting.due_s - 1e-6:
            return True
        if request.type == "act":
            if decision.mode in (Mode.HOLD, Mode.STOPPED, Mode.READY):
                return True
            return request.settle and self._has_settled_frame(waiting, now_s)
        if request.until == "idle":
            return decision.doing == Doing.IDLE or decision.mode == Mode.STOPPED
        if request.until == "settled":
            return self.guard.mover.is_settled(self.guard.situation)
        return request.until == "frame" and self._frame_seq > waiting.frame_seq

    def _has_settled_frame(self, waiting: Waiting, now_s: float) -> bool:
        """Return whether there is an image that was taken after the arm came to rest."""
        if not self.guard.mover.is_settled(self.guard.situation):
            waiting.settled_s = math.inf
        elif math.isinf(waiting.settled_s):
            waiting.settled_s = now_s
        newest = self.camera.newest
        exposed_s = newest.facts.time_s - self.config.camera.age_s if newest else -math.inf
        return exposed_s >= waiting.settled_s

    def _inputs(self) -> Inputs:
        """Return what came since the last tick, and empty the mailbox."""
        mailbox, self._mailbox = self._mailbox, Mailbox()
        newest = self.camera.newest
        facts = newest.facts if newest else None
        return mailbox.inputs(self.reading, facts, client_waits=self._waiting is not None)

    def _state(self, client: bytes, answers: int, *, taken: bool = False) -> Answer:
        """Return the robot's state with the newest image."""
        self._seq += 1
        now_s = self.clock.now_s()
        self.lease.note_sent(self._seq, now_s)
        head = state_head(self.guard, self.decision, self.reading, now_s)
        image, about = image_head(self.camera.newest, self.config, now_s)
        counts = {"dropped": self.dropped, "time_s": round(now_s - self.start_s, 4)}
        head |= {**about, **counts, "seq": self._seq, "answers": answers, "taken": taken}
        return Answer(client, encode(head), image)

    def _refusal(self, client: bytes, answers: int, why: str) -> Answer:
        self.dropped += 1
        return Answer(client, encode({"type": "refused", "answers": answers, "why": why}))
