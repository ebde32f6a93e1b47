-- Of two who come with the same token, the later waits for the earlier and then inserts nothing.
INSERT INTO accounts_spenttoken (digest, expires_at)
VALUES (%(digest)s, %(expires_at)s)
ON CONFLICT (digest) DO NOTHING
