-- Another asset takes the place of one.

CREATE FUNCTION @P@.swap_asset(old_identifier text, new_identifier text, on_day date, policy text, overlap_until date DEFAULT NULL)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.swap_asset(@L@::regnamespace, old_identifier, new_identifier, on_day, policy, overlap_until);
END;

COMMENT ON FUNCTION @P@.swap_asset(text, text, date, text, date) IS 'Puts a new asset in the place of an old one on all lists and in all bundles: the old one is covered through the day before on_day, the new one from on_day, by policy carry_remaining to the end of the old one''s line; restart: for as many days as the old one''s line has, never past the term; overlap: as carry_remaining, and the old one through overlap_until. Lines that begin on on_day or later and lines on drafts move whole, and what is restarted runs around them, in several lines where need be; carve-outs are divided, ended lines and the register stay. Where the old one is the primary of a bundle, a bundle of the same name begins with the new one. One row for each thing done: action ended, begun, moved, divided or dropped (with the reason: also open service requests that are not covered any more), days that the line or membership has now; term_id is NULL of what is no line. Errors: 22004, 22008, 22023 policy, overlap_until, one asset twice; those of include_asset; 40001.';
