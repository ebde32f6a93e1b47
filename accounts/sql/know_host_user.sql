-- Of two first sign-ins of one user, the later waits for the earlier and then inserts nothing.
INSERT INTO accounts_federatedidentity (player_id, issuer, subject)
VALUES (%(player)s, %(issuer)s, %(subject)s)
ON CONFLICT (issuer, subject) DO NOTHING
