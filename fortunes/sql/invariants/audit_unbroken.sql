-- The audit's entries are numbered from 1 without a gap, and each one's hash covers it and the one before.
SELECT e.seq, e.action
  FROM (SELECT e.*, row_number() OVER w AS nth,
               coalesce(lag(e.hash) OVER w, decode(repeat('00', 32), 'hex')) AS before
          FROM fortunes_auditentry e WINDOW w AS (ORDER BY e.seq)) e
 WHERE e.seq <> e.nth
    OR e.hash <> fortunes_audit_hash(e.before, e.seq, e.at, e.actor_id, e.action, e.subject, e.subject_id, e.data)
