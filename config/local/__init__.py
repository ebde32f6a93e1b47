"""What `./dev` runs on one machine: PostgreSQL, Valkey and the project's own processes.

Nothing in this package imports Django, because it runs before a database exists.
"""
