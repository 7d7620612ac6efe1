import time


class TokenBucket:
    """How many messages a socket may send: a burst, refilled evenly. Costs a microsecond and no timer."""

    __slots__ = ("_at", "_burst", "_left", "_per_second")

    def __init__(self, *, per_minute: int, burst: int) -> None:
        self._per_second = per_minute / 60
        self._burst = float(burst)
        self._left = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if left < 1:
            self._left = left
            return False
        self._left = left - 1
        return True


class Crowd:
    """How many of each address are here at once."""

    __slots__ = ("_counts", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        count = self._counts.get(address, 0)
        if count >= self._most:
            return False
        self._counts[address] = count + 1
        return True

    def leave(self, address: str) -> None:
        count = self._counts[address] - 1
        if count:
            self._counts[address] = count
        else:
            del self._counts[address]
