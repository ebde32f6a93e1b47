"""`./dev demo`: a short season played by simulated players, and the proof that every sum is right.

The players (`player.py`, `play.py`) know only REST and the socket (`client.py`). What they were told (`journal.py`) is
compared with the database (`facts.py`) by pure `checks.py`.
"""
