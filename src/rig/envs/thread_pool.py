"""A thread pool that splits work over many environments into one chunk per thread.

MuJoCo releases the interpreter lock while it computes, so threads are enough. Only MuJoCo's own
calls are split; NumPy is faster on all environments at once, on one thread.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise


class ThreadPool:
    """Threads that share calls, the calling thread among them.

    ``ThreadPoolExecutor.map`` hands over every call by itself, which makes a step of 16
    environments 10 to 20 % slower than one chunk per thread does.
    """

    def __init__(self, num_threads: int | None = None) -> None:
        """Start the threads; by default one per core that this process may use."""
        self.num_threads = num_threads or len(os.sched_getaffinity(0))
        self._start()

    def _start(self) -> None:
        self._process_id = os.getpid()
        self._executor = ThreadPoolExecutor(self.num_threads, thread_name_prefix="rig-envs")

    def __reduce__(self) -> tuple[type["ThreadPool"], tuple[int]]:
        """Copy as a new pool of as many threads: threads can't be copied."""
        return ThreadPool, (self.num_threads,)

    def map(self, call: Callable[..., object], *columns: Iterable[object]) -> None:
        """Call ``call`` with each row of the columns; return when all calls are done.

        An exception in any of the calls is raised here. What the calls return is dropped.
        """
        rows = list(zip(*columns, strict=True))
        ends = [
            -(-len(rows) * index // self.num_threads) for index in range(self.num_threads + 1)
        ]
        first, *others = [rows[start:end] for start, end in pairwise(ends)]
        if self._process_id != os.getpid():
            self._start()  # a fork copies the pool, but none of its threads
        futures = [self._executor.submit(_call_rows, call, chunk) for chunk in others if chunk]
        _call_rows(call, first)
        for future in futures:
            future.result()

    def close(self) -> None:
        """Stop the threads."""
        self._executor.shutdown()


def _call_rows(call: Callable[..., object], rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        call(*row)
