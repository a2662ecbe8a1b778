"""A house's connection as `zixin serve` serves it, within the test's own process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.simulation.serving import serve_in_thread
from tests.connector.scoring.books import POLICY
from tests.story.house import House
from zixin.compose import Workspace as Opened
from zixin.services.loops import Serving
from zixin.web.webhooks import application

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def served(house: House, *, subscribed: bool = True, **how: Any) -> Iterator[tuple[Serving, str]]:
    opened = Opened(house.store, house.link, POLICY, "en", (SECRET,))
    serving = Serving("default", opened, **how)
    intake = serving.start()
    try:
        with serve_in_thread(application(intake, serving.ready)) as origin:
            if subscribed:
                serving.public_url = origin
                assert serving.renew() > 86_400
            yield serving, origin
    finally:
        serving.stop()
