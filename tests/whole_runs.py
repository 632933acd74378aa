"""Whole runs in tests: what they leave, and displays during which they are stopped."""

import os
import signal
import time

from rig.training.progress import PlainProgress


NOT_COMPARED = {"clock.jsonl", "origin.json"}


def files_of(run):
    """The bytes of every file that a run leaves, but for those that have the time in them."""
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(run.directory)): path.read_bytes()
        for path in files
        if path.name not in NOT_COMPARED
    }


class Signalling(PlainProgress):
    """A display during which signals come, once a phase has come so far."""

    def __init__(self, *signals, phase="train", done=200):
        super().__init__(lambda _line: None)
        self.signals, self.phase, self.done = signals or (signal.SIGTERM,), phase, done

    def advance(self, done, latest):
        super().advance(done, latest)
        if self.phase_name == self.phase and done >= self.done:
            signals, self.signals = self.signals, ()
            for number in signals:
                os.kill(os.getpid(), number)
                time.sleep(0.1)  # a thread goes on until the main thread has heard it
