SET client_min_messages = warning;
\pset footer off
\timing on
SELECT outcome, assets FROM synced.sync_assets('erp', 'delta') WHERE assets > 0;
