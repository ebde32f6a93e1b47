-- Names this history of the feeds: another cluster, another database or, after a failover or a restore to an earlier
-- moment, another timeline has another name, because numbers that clients have seen may mean other events there.
SELECT left(encode(sha256(convert_to(concat_ws('-', s.system_identifier, c.timeline_id, d.oid), 'UTF8')), 'hex'), 16) AS epoch
  FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
 WHERE d.datname = current_database()
