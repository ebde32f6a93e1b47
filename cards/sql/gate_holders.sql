-- The transactions that hold a gate of this database (fortunes/sql/functions/gate_lock.sql); a lock by two integers has
-- objsubid 2. Locks are given back after a commit can be seen.
SELECT l.virtualtransaction AS transaction
  FROM pg_locks l
 WHERE l.locktype = 'advisory' AND l.classid = 5525 AND l.objsubid = 2 AND l.granted
   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
   AND l.pid <> pg_backend_pid()
