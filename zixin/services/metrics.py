"""What is counted, for Prometheus; served on a port of its own on 127.0.0.1."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
ACCEPTED = Counter("zixin_events_accepted", "Events that were committed and acknowledged.", registry=REGISTRY)
REPEATED = Counter("zixin_events_repeated", "Events that were known already.", registry=REGISTRY)
REFUSED = Counter("zixin_events_refused", "Calls that were refused, by why.", ["why"], registry=REGISTRY)
CLOSED = Counter("zixin_events_closed", "Events that were worked on to the end.", registry=REGISTRY)
PUT_OFF = Counter("zixin_events_put_off", "Events that wait for another try, by why.", ["why"], registry=REGISTRY)
OUTPUT_FIELDS = Counter("zixin_accounts_written", "Accounts that were written into the CRM.", registry=REGISTRY)
WAITING = Gauge("zixin_events_waiting", "Events that wait.", registry=REGISTRY)
DEAD = Gauge("zixin_events_dead", "Events that were given up.", registry=REGISTRY)
STALLED = Gauge(
    "zixin_events_stalled_seconds", "Seconds since an event was closed, while some wait.", registry=REGISTRY
)
TURN = Histogram("zixin_drain_seconds", "Seconds that a turn of the drain took.", registry=REGISTRY)
