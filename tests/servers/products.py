"""The table of products, in the order in which they start."""

from __future__ import annotations

from tests.servers.kafka import Kafka
from tests.servers.mlflow import MLflow
from tests.servers.mongodb import MongoDB
from tests.servers.neo4j import Neo4j
from tests.servers.product import Server
from tests.servers.redis import Redis

SERVERS: dict[str, Server] = {server.name: server for server in (Redis(), Kafka(), MongoDB(), Neo4j(), MLflow())}
