SELECT seq, hash FROM fortunes_auditentry ORDER BY seq DESC LIMIT 1
