
# Varlink frames.
if FUZZERS
check_PROGRAMS += tests/fuzz/fuzz_varlink
tests_fuzz_fuzz_varlink_SOURCES = tests/fuzz/fuzz_varlink.c
tests_fuzz_fuzz_varlink_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
EXTRA_DIST += tests/fuzz/seeds/varlink

# Configuration, and the bytes in which it goes from process to process.
if FUZZERS
check_PROGRAMS += tests/fuzz/fuzz_policy tests/fuzz/fuzz_bundle
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c
tests_fuzz_fuzz_policy_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_bundle_SOURCES = tests/fuzz/fuzz_bundle.c
tests_fuzz_fuzz_bundle_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
EXTRA_DIST += tests/fuzz/seeds/policy tests/fuzz/seeds/bundle
