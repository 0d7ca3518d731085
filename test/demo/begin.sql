-- Before every script: output for people.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET TimeZone = 'UTC';
