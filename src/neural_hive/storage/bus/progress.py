"""How far each partition of one assignment is read, settled and committed. Pure; a partition is any hashable name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


@dataclass(slots=True)
class _Partition:
    """next: the offset after the last one read. open: offsets that are read and not settled, ascending."""

    next: int
    committed: int = -1
    open: dict[int, None] = field(default_factory=dict)

    @property
    def committable(self) -> int:
        """Everything before this offset is settled."""
        return next(iter(self.open), self.next)


class Progress(Generic[P]):
    """What was read and what of it is settled. Calls for a partition that is not assigned change nothing."""

    def __init__(self) -> None:
        self._partitions: dict[P, _Partition] = {}

    def begin(self, partition: P, offset: int) -> None:
        """A partition is assigned; `offset` is the first that will be read."""
        self._partitions[partition] = _Partition(offset)

    def read(self, partition: P, offset: int) -> bool:
        """An offset was read: it is open until it is settled. False if it was read before or is not assigned."""
        found = self._partitions.get(partition)
        if found is None or offset < found.next:
            return False
        found.next = offset + 1
        found.open[offset] = None
        return True

    def settle(self, partition: P, offset: int) -> None:
        """Nothing more has to be done for an offset."""
        if partition in self._partitions:
            self._partitions[partition].open.pop(offset, None)

    def to_commit(self) -> dict[P, int]:
        """The offset to commit for each partition where that has changed."""
        found = self._partitions.items()
        return {name: one.committable for name, one in found if one.committable != one.committed}

    def committed(self, offsets: Mapping[P, int]) -> None:
        """These offsets were committed."""
        for partition, offset in offsets.items():
            if partition in self._partitions:
                self._partitions[partition].committed = offset

    def next_offsets(self) -> dict[P, int]:
        """Where each partition goes on."""
        return {name: one.next for name, one in self._partitions.items()}

    def clear(self) -> None:
        """The assignment has ended."""
        self._partitions.clear()
