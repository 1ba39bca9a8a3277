# Fuzz targets: each hands bytes from outside to one parser. fuzz_X is made
# from fuzz_X.c, seeds/X holds its first inputs and every one that once
# failed. `tests/run fuzz` runs them.
EXTRA_DIST += tests/fuzz/fuzz.h tests/fuzz/seeds
if FUZZERS
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

# Configuration, and the bytes in which it goes from process to process.
check_PROGRAMS += tests/fuzz/fuzz_policy tests/fuzz/fuzz_bundle
tests_fuzz_fuzz_policy_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_bundle_LDFLAGS = $(fuzz_ldflags)

# Text: patterns, numbers, names, slots of the quarantine.
check_PROGRAMS += tests/fuzz/fuzz_rules tests/fuzz/fuzz_units \
	tests/fuzz/fuzz_escape tests/fuzz/fuzz_slot
tests_fuzz_fuzz_rules_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_units_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_escape_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_slot_LDFLAGS = $(fuzz_ldflags)

# Between processes: clients' frames, the plan that a reaper gets, and what one
# tells of the trash.
check_PROGRAMS += tests/fuzz/fuzz_varlink tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_plan tests/fuzz/fuzz_errand
tests_fuzz_fuzz_varlink_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_plan_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_errand_LDFLAGS = $(fuzz_ldflags) \
	-Wl,--wrap=loop_add_fd,--wrap=loop_remove

# An agent's messages as the warden sees them, and the warden's answers.
check_PROGRAMS += tests/fuzz/fuzz_channel tests/fuzz/fuzz_report
tests_fuzz_fuzz_channel_LDFLAGS = $(fuzz_ldflags) \
	-Wl,--wrap=warden_child_start,--wrap=warden_config_read \
	-Wl,--wrap=warden_files_audit,--wrap=kill
tests_fuzz_fuzz_report_LDFLAGS = $(fuzz_ldflags)

# The saved state, the kernel's news, and where things are mounted.
check_PROGRAMS += tests/fuzz/fuzz_state tests/fuzz/fuzz_access \
	tests/fuzz/fuzz_inotify \
	tests/fuzz/fuzz_fanotify tests/fuzz/fuzz_mountinfo
tests_fuzz_fuzz_state_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_access_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_inotify_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_fanotify_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_mountinfo_LDFLAGS = $(fuzz_ldflags)
endif
