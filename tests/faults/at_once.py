"""Two of the same in the same moment: two workers with one message, two sweepers."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def at_once(*acts: Callable[[], object]) -> None:
    """Carry them out in a thread each, and raise what one of them raised."""
    start, failed = threading.Barrier(len(acts)), list[BaseException]()

    def carry_out(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()  # this thread's own

    threads = [threading.Thread(target=carry_out, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
