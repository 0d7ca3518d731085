# Contract Equipment Coverage.
#
#   make demo         set everything up, show what cec does, leave a psql line
#   make check        set everything up, run all tests that fit in ten minutes
#   make check-days   the same under set clocks: the ends of months and years, changes of the clock, midnight
#   make check-long   the long ones
#   make bench        measure
#   make fuzz         hand made-up conditions to their compiler, for a minute
#   make lint format
#   make; make install    build and install with PGXS, for a server of your own (PG_CONFIG=…)
#   make installcheck     the pg_regress part against that server

EXTENSION = cec
CEC_VERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" cec.control)
ENGINE_SCRIPT = sql/cec--$(CEC_VERSION).sql

MODULE_big = cec
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
DATA_built = $(ENGINE_SCRIPT)
EXTRA_CLEAN = sql/cec--*.sql

# The rooms of src, from the bottom: none knows of those behind it. lint holds the includes against this, and the install script
# is made in this order, of a room first what bears its name. Amendments are below the lists that name them.
LAYERS = support portfolio audit seal replay outbox finding tag registry contract charge bundle amendment inclusion condition rule coverage \
	regulation compliance map import sync refresh report access
room_sql = $(wildcard src/$(1)/$(1)$(2)) $(filter-out src/$(1)/$(1)$(2),$(sort $(wildcard src/$(1)/*$(2))))
CLOSING_SQL = src/portfolio/close.portfolio.sql
PORTFOLIO_SQL = $(filter-out $(CLOSING_SQL),$(foreach room,$(LAYERS),$(call room_sql,$(room),.portfolio.sql)))
ACCESS_SQL = $(foreach room,$(LAYERS),$(call room_sql,$(room),.access.sql))
ENGINE_SQL = $(filter-out %.portfolio.sql %.access.sql src/portfolio/shape.sql,$(foreach room,$(LAYERS),$(call room_sql,$(room),.sql)))

REGRESS = $(patsubst sql/%.sql,%,$(filter-out sql/cec--%,$(sort $(wildcard sql/*.sql))))
# The scripts show the name of their database.
override CONTRIB_TESTDB = regress
REGRESS_OPTS = --load-extension=postgis --load-extension=btree_gist --load-extension=cec

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

.DEFAULT_GOAL = all

# Targets of our own set up what they need themselves. PGXS is for building: its own "check" only says "not supported".
OWN = demo check check-days check-long bench fuzz lint format
ifneq ($(filter $(OWN),$(MAKECMDGOALS)),)
.PHONY: $(OWN)
demo check check-days check-long bench fuzz lint:
	@test/bin/$@
format:
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch])
else
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

# PGXS follows no headers.
$(OBJS): $(wildcard src/*/*.h)

$(ENGINE_SCRIPT): cec.control Makefile $(ENGINE_SQL) $(ACCESS_SQL) $(PORTFOLIO_SQL) $(CLOSING_SQL) src/portfolio/shape.sql
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION cec CASCADE" to load this file. \quit'; \
	echo 'CREATE SCHEMA cec;'; \
	echo 'GRANT USAGE ON SCHEMA cec TO PUBLIC;'; \
	cat $(ENGINE_SQL) $(ACCESS_SQL); \
	echo 'CREATE FUNCTION cec._portfolio_script() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$script$$'; \
	echo 'SELECT $$portfolio$$'; cat $(PORTFOLIO_SQL); echo '$$portfolio$$::text;'; echo '$$script$$;'; \
	echo 'CREATE FUNCTION cec._portfolio_closing() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$script$$'; \
	echo 'SELECT $$portfolio$$'; cat $(CLOSING_SQL); echo '$$portfolio$$::text;'; echo '$$script$$;'; \
	echo "COMMENT ON FUNCTION cec._portfolio_script() IS 'Private. The statements that make a portfolio, with @P@ in the place of its name.';"; \
	echo "COMMENT ON FUNCTION cec._portfolio_closing() IS 'Private. The last statements that make a portfolio, once its tables are there.';"; \
	cat src/portfolio/shape.sql; echo "SELECT cec._check_binding('cec', NULL); SELECT cec._take_shape();"; \
	echo 'GRANT SELECT ON cec.portfolio, cec.table_rule, cec.finding_kind, cec.access_level, cec.access_privilege TO PUBLIC;'; \
	} > $@
