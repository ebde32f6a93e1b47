"""PostgreSQL's SQLSTATEs that mean "not now": the request may be repeated, nothing was changed.

Source: PostgreSQL documentation, appendix A. Two characters stand for a whole class.
"""

REFUSALS_BY_SQLSTATE = frozenset(
    {
        "08",  # connection exception
        "40",  # transaction rollback: serialization failure, deadlock
        "53",  # insufficient resources: disk full, out of memory, too many connections
        "57",  # operator intervention: statement timeout, shutdown
        "55P03",  # lock not available
        "25P03",  # idle-in-transaction timeout
    }
)
