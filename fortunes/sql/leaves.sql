-- The next leaves of a proposal in their order, end to end, with the option of each as a byte: for hashing and counting a
-- million of them, which as rows of the ORM would take a minute.
SELECT count(*) AS ballots,
       string_agg(b.leaf, '' ORDER BY b.leaf) AS leaves,
       string_agg(set_byte('\x00', 0, b.option), '' ORDER BY b.leaf) AS options
  FROM (SELECT b.leaf, b.option FROM fortunes_ballot b
         WHERE b.proposal_id = %(proposal)s AND b.leaf > %(after)s::bytea
         ORDER BY b.leaf
         LIMIT %(most)s::integer) b
