"""One member of a Kafka consumer group: reads, keeps each case in order, commits what is settled.

The events of a case and their retries have the same partition number in their topics, and the range assignor gives a
number of both topics to one member; so that member alone decides what comes next. Partitions that it is newly assigned
begin with their retries: the events behind them wait until those are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition, errors
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from neural_hive.contracts import Event
from neural_hive.errors import StorageError
from neural_hive.storage.bus.kafka_messages import Headers, Message, encode, failure, headers_of, read_event
from neural_hive.storage.bus.lanes import Lanes, Work
from neural_hive.storage.bus.progress import Progress
from neural_hive.storage.bus.topics import Topics

#: Failures after which an event goes to the dead letters.
MAX_FAILURES = 5
#: Longest to wait for a broker when leaving, in seconds.
LEAVE_S = 3.0
Send = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MemberOptions:
    """retry_s: wait before the second attempt, doubled at each failure. max_waiting: events held before reading stops.

    session_s: how long a member may be silent before its partitions go to another.
    """

    retry_s: float = 0.2
    max_waiting: int = 2000
    session_s: float = 10.0

    def consumer_options(self, group: str) -> dict[str, Any]:
        """What makes a consumer a member of `group`."""
        return {
            "group_id": group,
            "partition_assignment_strategy": (RangePartitionAssignor,),
            "session_timeout_ms": int(self.session_s * 1000),
            "heartbeat_interval_ms": int(self.session_s * 1000 / 4),
        }


class KafkaDelivery:
    """Implements `Delivery`. If the partition has gone to another member meanwhile, that one gets the event again."""

    def __init__(self, member: Member, work: Work) -> None:
        self.event = work.event
        self._member = member
        self._work = work

    async def done(self) -> None:
        """See `Delivery.done`."""
        await self._member.done(self._work)

    async def failed(self, reason: str) -> None:
        """See `Delivery.failed`."""
        await self._member.failed(self._work, reason)


class Member(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Reads for one subscription. All state belongs to one assignment: it is dropped when partitions move."""

    def __init__(self, consumer: AIOKafkaConsumer, group: str, topics: Topics, send: Send, options: MemberOptions) -> None:
        self._consumer = consumer
        self._group = group
        self._topics = topics
        self._send = send
        self._options = options
        self._lanes = Lanes()
        self._progress: Progress[TopicPartition] = Progress()
        self._retries_end: dict[TopicPartition, int] = {}
        self._epoch = 0
        self._is_assigned = False
        self._since = 0.0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._commit_lock = asyncio.Lock()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._assigning: asyncio.Task[None] | None = None

    async def join(self, since: float) -> None:
        """Become a member; where the group has read nothing yet it starts with what was published after `since`."""
        self._since = since
        try:
            await self._consumer.start()
            self._consumer.subscribe([self._topics.events, self._topics.retry], listener=self)
        except BaseException:
            await self.leave()
            raise
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._keep_committing()))

    async def leave(self) -> None:
        """Commit what is settled and give the partitions back; the rest goes to another member."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError, errors.KafkaError):  # brokers that do not answer take them back by themselves
            async with asyncio.timeout(LEAVE_S):
                await self._commit()
                await self._consumer.stop()
        self._forget()

    async def next(self) -> KafkaDelivery:
        """The next event that can be handled. Raises what stopped the reader, if something did."""
        while True:
            self._changed.clear()
            work = self._lanes.take(time.time())
            if work is not None:
                return KafkaDelivery(self, work)
            for task in (*self._tasks, self._assigning):
                if task is not None and task.done():
                    await task
            await self._rest()

    async def done(self, work: Work) -> None:
        """The work is durable: it is committed in a moment, together with what else is settled by then."""
        if work.epoch == self._epoch:
            self._lanes.settle(work)
            self._settle(work)

    async def failed(self, work: Work, reason: str) -> None:
        """Send the event to the retry topic or, after too many failures, to the dead letters; here it is settled."""
        if work.epoch != self._epoch:
            return
        headers = Headers(self._group, work.n_failures + 1, reason)
        if headers.n_failures >= MAX_FAILURES:
            await self._send([failure(encode(work.event, self._topics.dead), headers)])
            self._lanes.settle(work)
        else:
            await self._retry(work, headers)
        self._settle(work)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called before partitions move: what is settled is committed, the rest is for whoever reads it next."""
        await self._commit()
        self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called when partitions have moved here. The driver would only log what goes wrong, so `next` looks for it."""
        partitions = sorted(assigned)
        self._consumer.pause(*partitions)  # before anything is awaited, so that nothing is read from a wrong place
        self._assigning = asyncio.create_task(self._assign(partitions))
        await asyncio.wait([self._assigning])
        self._changed.set()

    async def _assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Find where to go on, and hold events back behind their retries."""
        self._require_twins(partitions)
        for one, start in (await self._starts(partitions)).items():
            self._consumer.seek(one, start)
            self._progress.begin(one, start)
        retries = [one for one in partitions if one.topic == self._topics.retry]
        self._retries_end = await self._consumer.end_offsets(retries)
        self._consumer.resume(*retries)
        self._is_assigned = True
        await self._commit()
        await self._gate()

    async def _starts(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the group goes on; where it has never been, the first message published since it subscribed."""
        committed = await asyncio.gather(*(self._consumer.committed(one) for one in partitions))
        starts = {one: offset for one, offset in zip(partitions, committed, strict=True) if offset is not None}
        new = [one for one in partitions if one not in starts]
        if new:
            ends = await self._consumer.end_offsets(new)
            found = await self._consumer.offsets_for_times(dict.fromkeys(new, int(self._since * 1000)))
            starts |= {one: found[one].offset if found[one] else ends[one] for one in new}
        return starts

    def _require_twins(self, partitions: Sequence[TopicPartition]) -> None:
        """Refuse topics whose partitions do not belong together: a retry would never come back to its case."""
        events = {one.partition for one in partitions if one.topic == self._topics.events}
        retries = {one.partition for one in partitions if one.topic == self._topics.retry}
        if events != retries:
            names = f"{self._topics.events} and {self._topics.retry}"
            raise StorageError(f"HIVE_BUS_URL: the topics {names} must have the same number of partitions.")

    async def _read(self) -> None:
        try:
            while True:
                epoch = self._epoch
                batches = await self._consumer.getmany(timeout_ms=500)
                await self._receive_all(batches, epoch)
                await self._gate()
                self._settled.set()
                self._changed.set()
        finally:
            self._changed.set()

    async def _receive_all(self, batches: dict[TopicPartition, list[ConsumerRecord]], epoch: int) -> None:
        for partition, records in batches.items():
            for record in records:
                if self._epoch != epoch:  # partitions moved meanwhile: read again what the new assignment begins with
                    for one, offset in self._progress.next_offsets().items():
                        self._consumer.seek(one, offset)
                    return
                await self._receive(partition, record)

    async def _receive(self, partition: TopicPartition, record: ConsumerRecord) -> None:
        if not self._progress.read(partition, record.offset):
            return
        headers, event = headers_of(record), read_event(record.value)
        if partition.topic == self._topics.retry and headers.group != self._group:
            self._progress.settle(partition, record.offset)
        elif event is not None:
            self._lanes.add(self._work(event, record, headers))
        else:
            await self._give_up(record)
            self._progress.settle(partition, record.offset)

    def _work(self, event: Event, record: ConsumerRecord, headers: Headers) -> Work:
        place = (record.topic, record.partition, record.offset)
        wait_s = self._options.retry_s * 2.0 ** (headers.n_failures - 1)
        due = record.timestamp / 1000 + wait_s if headers.n_failures else 0.0
        return Work(event, *place, n_failures=headers.n_failures, due=due, epoch=self._epoch)

    async def _give_up(self, record: ConsumerRecord) -> None:
        """Put a message that is no event with the dead letters."""
        message = Message(self._topics.dead, record.key or b"", record.value or b"", ())
        await self._send([failure(message, Headers(self._group, MAX_FAILURES, "The message is not an event."))])

    async def _retry(self, work: Work, headers: Headers) -> None:
        self._lanes.park(work)  # before it is sent: it may be back before the answer is
        message = encode(work.event, self._topics.retry)
        try:
            await self._send([failure(message, headers, work.partition)])
        except BaseException:
            self._lanes.unpark(work)
            raise

    def _settle(self, work: Work) -> None:
        self._changed.set()
        self._settled.set()
        if work.epoch == self._epoch:
            self._progress.settle(TopicPartition(work.topic, work.partition), work.offset)

    async def _keep_committing(self) -> None:
        """Commit whatever has been settled since the last commit."""
        try:
            while True:
                await self._settled.wait()
                self._settled.clear()
                await self._commit()
        finally:
            self._changed.set()

    async def _commit(self) -> None:
        async with self._commit_lock:
            settled = self._progress.to_commit()
            if not settled:
                return
            try:
                await self._consumer.commit(settled)
            except (errors.CommitFailedError, errors.IllegalStateError):
                return  # the partitions have moved: another member will handle these events again
            self._progress.committed(settled)

    async def _gate(self) -> None:
        """Pause events whose retries are not read yet, or all when too much waits; resume the rest."""
        if not self._is_assigned:
            return
        is_full = self._lanes.n_waiting >= self._options.max_waiting
        for retry, end in list(self._retries_end.items()):
            with suppress(errors.IllegalStateError):  # it has just moved to another member
                if await self._consumer.position(retry) >= end:
                    self._retries_end.pop(retry, None)
        behind = {retry.partition for retry in self._retries_end}
        events = [one for one in self._consumer.assignment() if one.topic == self._topics.events]
        held = {one for one in events if is_full or one.partition in behind}
        self._consumer.pause(*held)
        self._consumer.resume(*(set(events) - held))

    async def _rest(self) -> None:
        """Wait until something was read or settled, or a retry is due."""
        due = self._lanes.next_due()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), None if due is None else max(0.0, due - time.time()))

    def _forget(self) -> None:
        self._epoch += 1
        self._is_assigned = False
        self._lanes.clear()
        self._progress.clear()
        self._retries_end.clear()
