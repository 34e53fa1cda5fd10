"""What a stream has sent of late.

Two streams of one lane may decide an event at the same moment, one before and one after a release: the first passes it
over, and when it is fed again, the second has it already.
"""

from __future__ import annotations

from collections import OrderedDict


class Recent:
    """A set that forgets its oldest members."""

    def __init__(self, most: int) -> None:
        """Remember so many."""
        self._most = most
        self._seqs: OrderedDict[int, None] = OrderedDict()

    def add(self, seq: int) -> None:
        """Remember an event."""
        self._seqs[seq] = None
        if len(self._seqs) > self._most:
            self._seqs.popitem(last=False)

    def __contains__(self, seq: int) -> bool:
        return seq in self._seqs
