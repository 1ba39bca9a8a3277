dist_man_MANS = \
	man/ullagectl.1 \
	man/ullage-policy.5 \
	man/ullage.json.5 \
	man/ullaged.8
EXTRA_DIST += docs/alerts.md docs/benchmarks.md docs/profile.md docs/safety.md \
	docs/testing.md \
	tests/check/manual
