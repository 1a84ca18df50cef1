"""Apache Kafka from its own jars: one KRaft node that is broker and controller."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.layout import installed
from tests.servers.maven import class_path, fetch
from tests.servers.product import Launch, ServerError

_VERSION = "4.1.1"
_ARTEFACTS = (f"org.apache.kafka:kafka_2.13:{_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
_CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAA"
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=3
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class Kafka:
    """One node; topics are made by the hive, not by accident."""

    name = "kafka"
    n_ports = 2

    def install(self) -> None:
        """See `Server.install`."""
        fetch(_ARTEFACTS, self._jars(), "kafka.sha256")

    def version(self) -> str:
        """See `Server.version`."""
        return f"Apache Kafka {_VERSION} (KRaft)"

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        properties, data = home / "server.properties", home / "data"
        properties.write_text(_PROPERTIES.format(broker=ports[0], controller=ports[1], data=data))
        if not (data / "meta.properties").exists():
            self._format(properties)
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        return Launch(self._java(options, "kafka.Kafka", str(properties)))

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return {"HIVE_TEST_KAFKA_URL": f"kafka://127.0.0.1:{ports[0]}"}

    def _format(self, properties: Path) -> None:
        arguments = ["format", "-t", _CLUSTER_ID, "-c", str(properties)]
        answer = subprocess.run(self._java([], "kafka.tools.StorageTool", *arguments), capture_output=True, text=True)
        if answer.returncode:
            raise ServerError(f"Kafka's storage cannot be formatted:\n{answer.stderr.strip()[-1500:]}")

    def _java(self, options: list[str], main: str, *arguments: str) -> list[str]:
        return ["java", *options, "-cp", class_path(self._jars()), main, *arguments]

    def _jars(self) -> Path:
        return installed(f"kafka-{_VERSION}")
