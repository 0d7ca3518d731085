-- A session of its own: what it takes is what refresh takes.
SET client_min_messages = warning;
\pset footer off
\timing on
SELECT task, count FROM daily.refresh() WHERE count > 0;
