"""Whether two locators of databases, ``host:port/name``, lead to the same one. Pure."""

from __future__ import annotations

_THIS_MACHINE = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "::1", "[::1]"})


def same_database(one: str, other: str) -> bool:
    """Whether two locators name one database: this machine has several names, and sockets (a host that is a path).

    A server's socket carries the number of its port, so a socket and this machine's address with the same port are one.
    """

    def named(locator: str) -> tuple[str, str]:
        host, _, rest = locator.rpartition("/")[0].rpartition(":")
        return ("localhost" if host in _THIS_MACHINE else host), f"{rest}/{locator.rpartition('/')[2]}"

    (one_host, one_rest), (other_host, other_rest) = named(one), named(other)
    hosts = {one_host, other_host}
    by_socket = "localhost" in hosts and any(host.startswith("/") for host in hosts)
    return one_rest == other_rest and (len(hosts) == 1 or by_socket)
