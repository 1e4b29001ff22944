"""What is learnt of whether recording wins anything where data is neither little nor large."""

from __future__ import annotations

from collections.abc import Callable

from lazyarr import settings


class Gains:
    """How much is little work now.

    Recording wins nothing where a program looks at what it makes after an operation or two, nor before it has done
    much: what is recorded has to be compiled. So more is little work at first, and again for some time after
    evaluations that won nothing. (On several ranks all of the time: they may not count alike.)
    """

    def __init__(self) -> None:
        #: What evaluations have won, in times of work that is just not little.
        self._won = 0.0
        self._operations = _OPERATIONS
        #: How many times more is little work now than the settings say. (Of arithmetic, and what is fused with it: what
        #: else weighs something weighs so many times more.)
        self.times = 1.0
        #: Told that other work is little from now on, and for how many operations.
        self.reach: Callable[[int], None] | None = None

    @property
    def below(self) -> float:
        """How many elements are little work now."""
        return self.times * settings.current.eager_below

    def begin(self) -> None:
        """More is little work for as many operations as that ever lasts."""
        self._won, self._operations = 0.0, _MOST_OPERATIONS
        self._reach()

    def end(self) -> None:
        """What the settings say is little work again."""
        self.times = 1.0

    def forget(self) -> None:
        """Nothing has been learnt."""
        self._won, self._operations = 0.0, _OPERATIONS

    def note(self, won: float) -> None:
        """Note an evaluation that has won so much, as `won` says it, or lost it."""
        if self.times > 1:  # Part of what it could have computed was done at once.
            return
        self._won = min(self._won + won, _MOST_WON)
        if self._won == _MOST_WON:
            self._operations = _OPERATIONS
        elif self._won < _LOST:
            # (The next time it takes less to see that.)
            self._won = _LOST * 0.75
            self._reach()

    def _reach(self) -> None:
        if self.reach is not None:
            self.times = _REACH
            self.reach(self._operations)
            self._operations = min(2 * self._operations, _MOST_OPERATIONS)


#: What has to be lost until more is little work, and what is remembered of what has been won.
_LOST, _MOST_WON = -11.0, 11.0
#: How many times more is little work then; for how many operations, the first time, and at most.
_REACH, _OPERATIONS, _MOST_OPERATIONS = 3.0, 1000, 4000
gains = Gains()
