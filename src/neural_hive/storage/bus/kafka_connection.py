"""Where Kafka is and how to log in: `kafka://` URLs, and Kafka's errors in the hive's words."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiokafka import errors

from neural_hive.errors import ConfigurationError
from neural_hive.storage.bus.topics import DEFAULT_PREFIX, Topics, topics
from neural_hive.storage.faults import Faults
from neural_hive.storage.urls import mask

SETTING = "HIVE_BUS_URL"
FORM = "kafka://[user:password@]host:port[,host:port…][/prefix][?security=ssl&mechanism=SCRAM-SHA-256&ca_file=…]"
#: Longest to wait for one answer of a broker, in seconds.
REQUEST_S = 5.0

_OPTIONS = frozenset({"security", "mechanism", "ca_file", "partitions", "replication"})
_SECURITY = frozenset({"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"})
_MECHANISMS = frozenset({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
_SERVERS = re.compile(r"[^\s,:/@]+:\d{1,5}(,[^\s,:/@]+:\d{1,5})*")
_PREFIX = re.compile(r"[a-zA-Z0-9._-]{1,100}")

_TOO_SLOW = "no broker answers in time; check that they run and are not overloaded"
_FORBIDDEN = "this user may not use the hive's topics or groups; correct the access lists"
_FAULTS = (
    (errors.AuthenticationFailedError, "the user name or password is not accepted; correct the URL"),
    (errors.SaslAuthenticationFailed, "the user name or password is not accepted; correct the URL"),
    (errors.UnsupportedSaslMechanismError, "the brokers do not offer this mechanism; correct the URL"),
    (errors.TopicAuthorizationFailedError, _FORBIDDEN),
    (errors.GroupAuthorizationFailedError, _FORBIDDEN),
    (errors.ClusterAuthorizationFailedError, _FORBIDDEN),
    (errors.MessageSizeTooLargeError, "an event is too large for the topic; raise its max.message.bytes"),
    (errors.NotEnoughReplicasError, "too few replicas are in sync; nothing was published"),
    (errors.KafkaTimeoutError, _TOO_SLOW),
    (errors.RequestTimedOutError, _TOO_SLOW),
    (TimeoutError, _TOO_SLOW),
    (errors.KafkaConnectionError, "no broker can be reached; check that they run, hosts, ports, user and security"),
    (ssl.SSLError, "the TLS handshake failed; check security and ca_file"),
    (OSError, "no broker can be reached; check that they run, hosts, ports, user and security"),
    (errors.KafkaError, ""),
)


def faults(url: str) -> Faults:
    """The table of Kafka's errors, for messages about this URL."""
    return Faults(SETTING, url, _FAULTS)


@dataclass(frozen=True, slots=True)
class Connection:
    """Brokers, credentials and topics. replication: 0 is one copy on each broker, three at most."""

    url: str
    servers: str
    topics: Topics
    n_partitions: int = 6
    replication: int = 0
    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None

    def client_options(self) -> dict[str, Any]:
        """What every kind of client takes."""
        credentials = {"sasl_plain_username": self.user, "sasl_plain_password": self.password}
        return {
            "bootstrap_servers": self.servers,
            "client_id": "neural-hive",
            "request_timeout_ms": int(REQUEST_S * 1000),
            "security_protocol": self.security,
            "ssl_context": self.tls,
            **({"sasl_mechanism": self.mechanism} | credentials if self.user else {}),
        }


def parse(url: str) -> Connection:
    """The connection that a URL describes.

    Raises:
        ConfigurationError: it is not of the form, or an option is not valid.
    """
    parts = urlsplit(url.strip())
    user_info, _, servers = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in user_info.partition(":"))
    prefix = parts.path.strip("/") or DEFAULT_PREFIX
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    security = options.get("security", "sasl_plaintext" if user else "plaintext").lower()
    mechanism = options.get("mechanism", "PLAIN").upper()
    _require(bool(_SERVERS.fullmatch(servers)) and not parts.fragment, url, f"is not {FORM}")
    _require(bool(_PREFIX.fullmatch(prefix)), url, "has a prefix that cannot begin the names of topics")
    _require(options.keys() <= _OPTIONS, url, f"has options beside {', '.join(sorted(_OPTIONS))}")
    _require(security in _SECURITY, url, f"must have a security of {', '.join(sorted(_SECURITY))}")
    _require(mechanism in _MECHANISMS, url, f"must have a mechanism of {', '.join(sorted(_MECHANISMS))}")
    _require(security.startswith("sasl") == bool(user), url, "must have a user exactly when security is sasl_…")
    return Connection(
        url=url,
        servers=servers,
        topics=topics(prefix),
        n_partitions=_number(options.get("partitions", "6"), url),
        replication=_number(options["replication"], url) if "replication" in options else 0,
        security=security.upper(),
        mechanism=mechanism,
        user=user,
        password=password,
        tls=_tls(options.get("ca_file"), url) if security.endswith("ssl") else None,
    )


def _require(is_met: bool, url: str, complaint: str) -> None:
    if not is_met:
        raise ConfigurationError(f"{SETTING}: {mask(url)!r} {complaint}.")


def _number(text: str, url: str) -> int:
    _require(text.isdecimal() and 1 <= int(text) <= 1000, url, "must have numbers from 1 to 1000 as options")
    return int(text)


def _tls(ca_file: str | None, url: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{SETTING}: {mask(url)!r}: ca_file cannot be read as certificates.") from error
