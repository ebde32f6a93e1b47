-- No business key was used twice.
SELECT business_key, count(*) AS postings
  FROM redpackets_ledgerentry
 GROUP BY business_key
HAVING count(*) > 1
