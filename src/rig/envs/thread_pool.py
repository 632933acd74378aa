"""The crew: threads that share out work on many worlds.

MuJoCo lets go of the interpreter lock while it works, so threads are enough. Only MuJoCo's own
calls are shared out; NumPy's small ones are quicker all together on one thread.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise


class ThreadPool:
    """Some threads, the caller's among them."""

    def __init__(self, num_threads: int | None = None) -> None:
        """Hires the threads: by default one per core that this process may use."""
        self.num_threads = num_threads or len(os.sched_getaffinity(0))
        self._others = ThreadPoolExecutor(self.num_threads, thread_name_prefix="crew")

    def each(self, do: Callable[..., object], *columns: Iterable[object]) -> None:
        """Calls ``do`` with every row of the columns; returns when all is done.

        Each thread gets one run of neighbouring rows. What ``do`` raises is raised here.
        """
        rows = list(zip(*columns, strict=True))
        ends = [len(rows) * index // self.num_threads for index in range(self.num_threads + 1)]
        mine, *others = [rows[first:end] for first, end in pairwise(ends)]
        jobs = [self._others.submit(_do_rows, do, share) for share in others if share]
        _do_rows(do, mine)
        for job in jobs:
            job.result()

    def close(self) -> None:
        """Ends the threads."""
        self._others.shutdown()


def _do_rows(do: Callable[..., object], rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        do(*row)
