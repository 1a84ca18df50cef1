"""A real OTLP/HTTP receiver: takes spans as a collector does and keeps them."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Receiver:
    """Listens on a free port. services: service name → its spans, as they came."""

    def __init__(self) -> None:
        self.by_service: defaultdict[str, list[Any]] = defaultdict(list)
        self.paths: set[str] = set()
        self._came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.add(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def spans(self) -> list[Any]:
        """All spans."""
        return [span for spans in self.by_service.values() for span in spans]

    @property
    def services(self) -> set[str]:
        """Names of the processes that sent some."""
        return set(self.by_service)

    def take(self, body: bytes) -> None:
        """Keep the spans of one export."""
        with self._came:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {a.key: a.value.string_value for a in resource.resource.attributes}
                self.by_service[names["service.name"]] += [span for scope in resource.scope_spans for span in scope.spans]
            self._came.notify_all()

    def wait_for(self, names: set[str], trace_id: str, timeout_s: float = 60.0) -> bool:
        """Whether spans with these names came, or come in time, in one trace. trace_id: 32 hex digits."""
        with self._came:
            return self._came.wait_for(lambda: names <= {span.name for span in self.of(trace_id)}, timeout_s)

    def of(self, trace_id: str) -> list[Any]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id.hex() == trace_id]

    def named(self, name: str) -> Any:
        """The one span with a name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def attributes(span: Any) -> dict[str, Any]:
    """Attribute → value of a span."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}
