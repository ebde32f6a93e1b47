"""Signals as an exception, so that everything that was started is ended in order by the `with` that started it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Somebody asked this process to end."""


@contextmanager
def raising_stop() -> Iterator[None]:
    """The first signal raises Stop in the main thread; later ones are ignored, because the clean-up is under way."""

    def stop(number: int, frame: FrameType | None) -> None:
        for name in SIGNALS:
            signal.signal(name, signal.SIG_IGN)
        raise Stop(signal.Signals(number).name)

    before = {name: signal.signal(name, stop) for name in SIGNALS}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
