"""How often a client may ask. Nobody counts stops."""

from collections import OrderedDict
from time import monotonic

from rig.serve.errors import RequestError


MAX_MESSAGES_PER_S = 50
MAX_COMMANDS_PER_S = 10
MAX_ADDRESSES = 64
"""Addresses whose commands are counted; the oldest is forgotten."""


class Rate:
    """How many came within the last second, about."""

    def __init__(self, most_per_s: int) -> None:
        self._most_per_s = most_per_s
        self._start_s, self._num = monotonic(), 0

    def is_too_high(self) -> bool:
        """Count one more; return whether there are too many."""
        if monotonic() - self._start_s > 1:
            self._start_s, self._num = monotonic(), 0
        self._num += 1
        return self._num > self._most_per_s


class CommandRates:
    """How often each address sends commands over HTTP, where a tab has no connection."""

    def __init__(self) -> None:
        self._rates: OrderedDict[str, Rate] = OrderedDict()

    def count(self, address: str) -> None:
        """Count a command.

        Raises:
            RequestError: There were too many within a second; nothing was done.
        """
        rate = self._rates.setdefault(address, Rate(MAX_COMMANDS_PER_S))
        while len(self._rates) > MAX_ADDRESSES:
            self._rates.popitem(last=False)
        if rate.is_too_high():
            what = f"more than {MAX_COMMANDS_PER_S} commands came in a second"
            raise RequestError(429, "too_many", what, "wait a second; Stop always works")
