from __future__ import annotations

import pytest

from accounts import addresses


@pytest.mark.parametrize(
    ("given", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("", ""),
        ("a unix socket", "a unix socket"),
    ],
)
def test_the_network_of_an_address(given: str, network: str) -> None:
    assert addresses.network(given) == network
