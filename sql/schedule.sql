-- Periodic tasks in a database without pg_cron: the line for the crontab, and what is refused. test/t/schedule.pl has those with it.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT test.refused($$SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'seal', '* * * * *')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'report', '0 6 1 * *')$$);
SELECT test.refused($$SELECT cec.unschedule('fleet', 'refresh')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'sealing', '* * * * *')$$);
SELECT test.refused($$SELECT cec.schedule('flet', 'seal', '* * * * *')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', NULL, '* * * * *')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'seal', NULL)$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'seal', 'every minute; id')$$);
SET ROLE regress_auditor;
SELECT test.refused($$SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')$$);
SELECT test.refused($$SELECT cec.schedule('fleet', 'seal', '* * * * *')$$);

-- The month's report of each contract, when the month is over.
SELECT fleet.report_audit();
SELECT test.refused($$SELECT fleet.report_audit('2999-01-15')$$);
SELECT test.refused($$SELECT fleet.report_audit('infinity')$$);
SET ROLE regress_manager;
SELECT test.refused($$SELECT fleet.report_audit()$$);
\set include :source/sql/include/end.sql
\i :include
