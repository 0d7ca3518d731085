-- What kinds of findings there are, the same for all portfolios.

CREATE TABLE cec.finding_kind (
	kind text COLLATE "C" NOT NULL,
	severity text COLLATE "C" NOT NULL,
	is_gap boolean NOT NULL,
	depends_on_day boolean NOT NULL,
	hears text[] COLLATE "C" NOT NULL,
	needs text[] COLLATE "C" NOT NULL DEFAULT '{}',
	scope text COLLATE "C" NOT NULL DEFAULT 'asset',
	is_function boolean NOT NULL DEFAULT false,
	meaning text NOT NULL,
	CONSTRAINT finding_kind_pkey PRIMARY KEY (kind),
	CONSTRAINT finding_kind_severity_known CHECK (severity IN ('info', 'warning', 'error')),
	CONSTRAINT finding_kind_scope_known CHECK (scope IN ('asset', 'contract', 'pair', 'identifier'))
);

COMMENT ON TABLE cec.finding_kind IS 'Kinds of findings. Each is a view of a portfolio that lists what is so now, or is written by the engine itself.';
COMMENT ON COLUMN cec.finding_kind.kind IS 'Key: name of the kind, e.g. outlives_decommissioning.';
COMMENT ON COLUMN cec.finding_kind.severity IS 'info, warning or error: of most of its findings; a finding has its own.';
COMMENT ON COLUMN cec.finding_kind.is_gap IS 'Whether it counts as a gap in compliance.';
COMMENT ON COLUMN cec.finding_kind.depends_on_day IS 'Whether it comes and goes with the day alone: it is then right after refresh.';
COMMENT ON COLUMN cec.finding_kind.hears IS 'What changes it: tables, columns as table.column, and coverage. A change of these is followed in the same transaction.';
COMMENT ON COLUMN cec.finding_kind.needs IS 'What an asset must have for the kind to be possible; it is looked for nowhere else. Empty: anything.';
COMMENT ON COLUMN cec.finding_kind.scope IS 'What is compared when somebody changes a fact. asset: what names the assets concerned, of a contract all that it lists or covers. contract: what names the assets, or the contract. pair: what names either asset. identifier: what names no asset yet, by what was typed.';
COMMENT ON COLUMN cec.finding_kind.is_function IS 'True: the function cec._KIND is asked for many assets at once, with the same rows as the view.';
COMMENT ON COLUMN cec.finding_kind.meaning IS 'What it says.';
