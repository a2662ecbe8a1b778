"""The one HTTP session: timeouts, retries with jitter and a total cap, no redirects, calls to known origins only."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from adapters.common.encoding import ACCEPTED, CutError, unpacked
from connector.errors import Misconfigured, Problem, RateLimited, Retry

#: Seconds to connect, and between two bytes of an answer.
TIMEOUT_S = (10.0, 60.0)

#: Ports that go without saying.
_PORTS = {"https": 443, "http": 80}
#: Bytes that are taken from an answer at once.
_PART = 1 << 18


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer that is not an error by the adapter's own table."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class RetryPolicy:
    """How long a call may be tried."""

    attempts: int = 6
    total_s: float = 120.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    #: The longest that one answer may take to come in, however steadily it trickles.
    answer_s: float = 300.0
    #: A host that cannot even be connected to is given up sooner: somebody waits before the screen.
    unreachable_attempts: int = 4
    #: How to wait; tests give one that does not.
    sleep: Callable[[float], None] = time.sleep
    #: What `answer_s` is counted by; tests give one that counts looks.
    clock: Callable[[], float] = time.monotonic


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as two are compared: without case, and without a default port (RFC 3986, 6.2)."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, _PORTS.get(parts.scheme.lower())) else f":{parts.port}"
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}"


def charset_of(answer: HttpResponse) -> str:
    """The charset that an answer declares; empty: none."""
    message = Message()
    message["Content-Type"] = answer.headers.get("Content-Type", "")
    return str(message.get_content_charset() or "")


def host_of(url: str) -> str:
    """The host of an origin, for messages."""
    return urlsplit(url).netloc


def retry_after(told: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds to wait, never below 0; None: the header is not there, or says neither seconds nor a date (RFC 9110)."""
    try:
        seconds = float(told or "")
    except ValueError:
        try:
            seconds = parsedate_to_datetime(told or "").timestamp() - now()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _may_help(error: BaseException, *, idempotent: bool) -> bool:
    return isinstance(error, Retry) and (idempotent or error.code != "E-CRM-LOST")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str] | None = None
    body: bytes | None = None


@dataclass(slots=True)
class Http:
    """Calls one CRM.

    `judge` looks at an answer's status, headers and body and returns the problem that it is, or None. `origins` are
    the only places that anything is ever sent to.
    """

    origins: set[str]
    judge: Callable[[HttpResponse], Problem | None]
    #: Calls in flight at once.
    concurrency: int = 5
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    _session: requests.Session = field(default_factory=requests.Session)
    _gate: threading.Semaphore = field(init=False)
    #: The server's clock less ours, from the newest answer, in seconds.
    skew_s: float = 0.0
    _told_time: bool = False

    def __post_init__(self) -> None:
        self.origins = {origin_of(each) for each in self.origins}
        self._gate = threading.Semaphore(self.concurrency)
        pool = HTTPAdapter(pool_connections=self.concurrency, pool_maxsize=self.concurrency)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, pool)
        # Proxies and certificates come from the environment; a netrc password must not replace a CRM's token.
        self._session.auth = _as_is
        self._session.headers["Accept-Encoding"] = ACCEPTED

    def now(self) -> datetime:
        """The server's clock, as far as its answers told it."""
        return datetime.fromtimestamp(time.time() + self.skew_s, UTC)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idempotent: bool = True,
    ) -> HttpResponse:
        """One call, tried again while its problem is a `Retry`; `again=False`: not where the answer was lost.

        `headers` is called for every try: a token may have been renewed. Raises the adapter's problem, or `Retry`
        when patience is at its end.
        """
        return self.send(lambda: Request(method, url, headers(), params, body), idempotent=idempotent)

    def send(
        self,
        made: Callable[[], Request],
        *,
        idempotent: bool = True,
        judge: Callable[[HttpResponse], Problem | None] | None = None,
    ) -> HttpResponse:
        """As `call`, of a request that is made anew for every try: a signature may hold the time, or may count once.

        `judge`: of this call alone, in the place of the one of all.
        """
        patience = self.patience
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: _may_help(error, idempotent=idempotent)),
            stop=self._stop,
            wait=self._wait,
            sleep=patience.sleep,
            reraise=True,
        )
        return retrying(self._once, made, judge or self.judge)

    def _once(self, made: Callable[[], Request], judge: Callable[[HttpResponse], Problem | None]) -> HttpResponse:
        request = made()
        self._check_origin(request.url)
        host, sent = urlsplit(request.url).netloc, time.time()
        try:
            with (
                self._gate,
                self._session.request(
                    request.method,
                    request.url,
                    params=request.params,
                    data=request.body,
                    headers=dict(request.headers),
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                answer = HttpResponse(response.status_code, self._body(response, host), response.headers)
        except requests.exceptions.SSLError as error:
            raise Misconfigured("E-CRM-TLS", host=host) from error
        except requests.exceptions.ConnectTimeout:
            raise Retry("E-CRM-UNREACHABLE", host=host) from None
        except requests.exceptions.ConnectionError as error:
            # Without a connection nothing was sent; a connection that broke may have been heard.
            lost = "Remote end closed" in str(error) or "reset" in str(error).lower()
            raise Retry("E-CRM-LOST" if lost else "E-CRM-UNREACHABLE", host=host) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
            raise Retry("E-CRM-LOST", host=host) from None
        self._tell_time(answer, sent)
        problem = judge(answer)
        if problem is not None:
            raise problem
        return answer

    def _body(self, response: requests.Response, host: str) -> bytes:
        clock = self.patience.clock
        ends = clock() + self.patience.answer_s
        parts = []
        # One receive at a time: a timeout between two bytes ends no answer that trickles.
        while part := response.raw.read1(_PART, decode_content=False):
            parts.append(part)
            if clock() > ends:
                raise Retry("E-CRM-LOST", host=host)
        try:
            return unpacked(b"".join(parts), response.headers.get("Content-Encoding", ""))
        except CutError:
            raise Retry("E-CRM-LOST", host=host) from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited) and error.after is not None:
            return max(0.0, min(error.after, self.patience.total_s))
        jittered = tenacity.wait_random_exponential(self.patience.first_wait_s, self.patience.longest_wait_s)
        return jittered(state)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        patience = self.patience
        error = state.outcome.exception() if state.outcome else None
        gone = isinstance(error, Retry) and error.code == "E-CRM-UNREACHABLE"
        most = patience.unreachable_attempts if gone else patience.attempts
        return state.attempt_number >= most or (state.seconds_since_start or 0.0) >= patience.total_s

    def _check_origin(self, url: str) -> None:
        if origin_of(url) not in self.origins:
            raise Misconfigured("E-CRM-ORIGIN", host=urlsplit(url).netloc)

    def _tell_time(self, answer: HttpResponse, sent: float) -> None:
        """The server's clock from a Date, which is cut to the second and was written after the call was sent.

        Of what fits the least is taken: later answers only bring it forward, however slow they are, and it goes back
        only where the server's own clock did.
        """
        stamp = answer.headers.get("Date")
        if stamp:
            try:
                date = parsedate_to_datetime(stamp).timestamp()
            except (ValueError, TypeError):
                return
            least, most = date - time.time(), date + 1 - sent
            self.skew_s = min(max(self.skew_s, least), most) if self._told_time else least
            self._told_time = True
