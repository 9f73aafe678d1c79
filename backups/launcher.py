"""The small parent of every program the portal starts: it ends the program, and all it started, when the portal dies.

Run by :mod:`backups.processes` as ``python -I -S launcher.py LIFELINE PROGRAM ARGUMENT…`` in a session of its own.
``LIFELINE`` is the reading end of a pipe whose writing end only the portal's process holds. The kernel closes it
however that process ends, ``kill -9`` included; the end of file seen here is the sign to stop everything in the
process group: politely first, so that a tool can cancel what it asked a server to do, then by force.

A death signal (``PR_SET_PDEATHSIG``) would not do: it reaches only the direct child, not the workers of
``pg_restore -j``; it fires when the starting *thread* ends; and setting it between fork and exec is not safe in a
process with threads.

It imports nothing but a few modules of the standard library, to start in some ten milliseconds.
"""

import os
import select
import signal
import sys

GRACE_SECONDS = 5.0


def main(lifeline: int, argv: list[str]) -> int:
    """Run ``argv``, wait for its end or the lifeline's; the exit code, 128 + signal when a signal ended it."""
    os.set_inheritable(lifeline, False)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Signals to the group are meant for the program. The launcher stays until the program is gone.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    child = os.fork()
    if child == 0:
        start(argv)
    for descriptor in (0, 1):  # else a pipe would look open as long as the launcher lives
        os.close(descriptor)

    ready, _, _ = select.select([lifeline, woken], [], [])
    if woken not in ready:
        os.killpg(0, signal.SIGTERM)
        select.select([woken], [], [], GRACE_SECONDS)
        os.killpg(0, signal.SIGKILL)  # the launcher as well
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def start(argv: list[str]) -> None:
    """Become the program; never returns."""
    signal.set_wakeup_fd(-1)
    # What is ignored stays ignored across exec; Python itself ignores the last two.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)  # noqa: S606  # an argument list is the point
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    # No clean-up of the interpreter: nothing is left to flush, and the portal waits for this.
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))
