"""What the server counts, in the text format of Prometheus: by the pattern of a path, never by a path itself."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Measures:
    """The counters of one server: two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        where = ("method", "path")
        self._answers = Counter(
            "daybook_answers", "Answers sent", (*where, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "daybook_answer_seconds", "From the request to the end of its answer", where, buckets=_BUCKETS,
            registry=self._registry,
        )  # fmt: skip
        self._position = Gauge(
            "daybook_ledger_position", "How many events the ledger has", registry=self._registry
        )
        self._under_way = Gauge(
            "daybook_uploads_under_way",
            "Uploads that are being processed or wait for it",
            registry=self._registry,
        )

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        self._answers.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def text(self, *, position: int | None, under_way: int) -> bytes:
        """``position`` is None where the ledger cannot be read: then the last known one stays."""
        if position is not None:
            self._position.set(position)
        self._under_way.set(under_way)
        return generate_latest(self._registry)
