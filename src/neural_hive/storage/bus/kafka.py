"""The event bus on Apache Kafka: one topic keyed by case, a retry topic beside it, and dead letters with their reason.

The topics are in `topics.py`. A message counts as handled when its offset is committed, after `done` or after it has
been put into the retry or dead-letter topic. Nothing here uses Kafka's transactions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from neural_hive.contracts import Event
from neural_hive.errors import StorageError
from neural_hive.ports import Delivery
from neural_hive.storage.bus.kafka_connection import SETTING, Connection, faults, parse
from neural_hive.storage.bus.kafka_member import Member, MemberOptions
from neural_hive.storage.bus.kafka_messages import Message, encode, headers_of, read_event
from neural_hive.storage.resources import Resources

#: Longest a publication may take, in seconds.
PUBLISH_S = 10.0
#: Longest `ping` may take, in seconds.
PING_S = 1.8
#: Largest message, in bytes, uncompressed: an event holds part of a case, whose body may have a megabyte.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
#: How long the topics keep what was published, in milliseconds: a week.
RETENTION_MS = 7 * 86_400_000


class KafkaBus:
    """Implements `EventBus`. Connects when it is first used, and again after every failure to."""

    def __init__(self, connection: Connection, options: MemberOptions | None = None) -> None:
        """`connection`: where the brokers are and what this hive's topics are called."""
        self._connection = connection
        self._options = options or MemberOptions()
        self._faults = faults(connection.url)
        self._lock = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, events: Sequence[Event]) -> None:
        """See `EventBus.publish`. On return every replica that is in sync has them."""
        await self._send([encode(event, self._connection.topics.events) for event in events])

    def subscribe(self, group: str) -> AsyncIterator[Delivery]:
        """See `EventBus.subscribe`. "First subscribes" is judged by the clocks of this machine and the publisher's."""
        return self._deliveries(group, time.time())

    async def dead_letters(self, group: str) -> Sequence[tuple[Event, str]]:
        """The events that a group gave up and that the topic still keeps, oldest first, each with the last reason."""
        with self._faults.translated():
            await self._connected()
            letters = [record async for record in self._read_all(self._connection.topics.dead)]
        letters.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
        found = [(read_event(record.value), headers_of(record)) for record in letters]
        return [(event, headers.reason) for event, headers in found if event and headers.group == group]

    async def is_heard(self) -> bool:
        """See `EventBus.is_heard`: Kafka keeps events for whoever comes later."""
        return True

    async def ping(self) -> None:
        """See `EventBus.ping`."""
        with self._faults.translated():
            async with asyncio.timeout(PING_S):
                producer = await self._connected()
                if not await producer.client.force_metadata_update():
                    raise TimeoutError

    async def close(self) -> None:
        """Send what waits and disconnect."""
        async with self._lock:
            producer, self._producer = self._producer, None
            if producer is not None:
                await _stop(producer)

    async def _deliveries(self, group: str, since: float) -> AsyncIterator[Delivery]:
        with self._faults.translated():
            await self._connected()
            member = Member(self._consumer(group=group), group, self._connection.topics, self._send, self._options)
            await member.join(since)
        try:
            while True:
                with self._faults.translated():
                    delivery = await member.next()
                yield delivery
        finally:
            await member.leave()

    async def _send(self, messages: Sequence[Message]) -> None:
        with self._faults.translated():
            async with asyncio.timeout(PUBLISH_S):
                producer = await self._connected()
                sent = [await producer.send(**message.arguments()) for message in messages]
                await asyncio.gather(*sent)

    async def _connected(self) -> AIOKafkaProducer:
        """The producer, connected and with the topics in place."""
        async with self._lock:
            if self._producer is None:
                await self._create_topics()
                self._producer = await self._start_producer()
            return self._producer

    async def _start_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection.client_options(),
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            max_request_size=MAX_MESSAGE_BYTES,
            linger_ms=2,
        )
        try:
            await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        return producer

    async def _create_topics(self) -> None:
        """Make the topics that are missing. Those that exist are left as they are."""
        admin = AIOKafkaAdminClient(**self._connection.client_options())
        try:
            await admin.start()
            missing = sorted(set(self._connection.topics.all) - set(await admin.list_topics()))
            if missing:
                n_brokers = len((await admin.describe_cluster())["brokers"])
                answer = await admin.create_topics([self._new_topic(name, n_brokers) for name in missing])
                _require_made(answer.topic_errors)
        finally:
            await admin.close()

    def _new_topic(self, name: str, n_brokers: int) -> NewTopic:
        n_copies = self._connection.replication or min(3, n_brokers)
        settings = {
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "min.insync.replicas": str(max(1, n_copies - 1)),
            "retention.ms": str(RETENTION_MS),
        }
        return NewTopic(name, self._connection.n_partitions, n_copies, topic_configs=settings)

    def _consumer(self, *topics: str, group: str = "") -> AIOKafkaConsumer:
        """A consumer of whole topics, or a member of a group that has still to subscribe."""
        return AIOKafkaConsumer(
            *topics,
            **self._connection.client_options(),
            **(self._options.consumer_options(f"{self._connection.topics.prefix}.{group}") if group else {}),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        )

    async def _read_all(self, topic: str) -> AsyncIterator[ConsumerRecord]:
        """Every message that a topic has now."""
        consumer = self._consumer(topic)
        try:
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(one) < end for one, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        yield record
        finally:
            await consumer.stop()


def _require_made(answers: Sequence[Sequence[Any]]) -> None:
    """Raise unless every topic was made, or somebody else has made it at the same time."""
    for name, code, *text in answers:
        if code not in (0, errors.TopicAlreadyExistsError.errno):
            raise StorageError(f"{SETTING}: the topic {name} cannot be made: {text[0] if text else code}.")


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop a producer, even one whose brokers do not answer."""
    try:
        async with asyncio.timeout(PING_S):
            await producer.stop()
    except TimeoutError:
        return  # what waited was never acknowledged to anybody


@asynccontextmanager
async def open_kafka_bus(url: str, _resources: Resources | None = None) -> AsyncIterator[KafkaBus]:
    """A bus on the brokers of a `kafka://` URL; connects when it is first used.

    Raises:
        ConfigurationError: the URL or one of its options is not valid.
    """
    bus = KafkaBus(parse(url))
    try:
        yield bus
    finally:
        await bus.close()
