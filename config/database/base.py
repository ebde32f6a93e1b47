"""The database backend of the settings: `ENGINE` names the package."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg.pq import ConnStatus, TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections live as long as their thread, so each use begins with a look whether the server has hung up.

    Stock Django asks `SELECT 1`: a round trip more for every request and command. Here only a connection is asked on
    which something has come unasked: a notice, a changed setting, or the words with which the server ends it. What
    neither sees is a host that has vanished without a word; for that there is `tcp_user_timeout`.
    """

    def is_usable(self) -> bool:
        return self.connection is not None and (_is_quiet(self.connection) or super().is_usable())


def _is_quiet(connection: Connection) -> bool:
    server = connection.pgconn
    # As `SELECT 1` would be refused in a transaction that has failed.
    if server.status != ConnStatus.OK or server.transaction_status == TransactionStatus.INERROR:
        return False
    poll = select.poll()
    poll.register(server.socket, select.POLLIN)
    return not poll.poll(0)
