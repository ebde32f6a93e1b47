"""Where a request comes from, as far as tries are counted by it. Pure."""

from __future__ import annotations

import ipaddress


def network(given: str) -> str:
    """The network of an address. Of IPv6 the 64 bits before what everybody chooses; one IPv4 address is one."""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return given
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))
