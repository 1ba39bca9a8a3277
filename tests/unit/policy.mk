# Unit tests of policy: as in base.mk.
if UNIT_TESTS
policy_tests = \
	tests/unit/test_admit \
	tests/unit/test_bundle \
	tests/unit/test_policy \
	tests/unit/test_policy_errors \
	tests/unit/test_policy_oom \
	tests/unit/test_scan_json \
	tests/unit/test_trigger
check_PROGRAMS += $(policy_tests)
TESTS += $(policy_tests)

policy_test_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) \
	-DTEST_TOP='"$(abs_top_srcdir)"'
policy_test_ldadd = $(LDADD) $(CMOCKA_LIBS)

tests_unit_test_admit_SOURCES = tests/unit/test_admit.c
tests_unit_test_admit_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_admit_LDADD = $(policy_test_ldadd)
tests_unit_test_bundle_SOURCES = tests/unit/test_bundle.c
tests_unit_test_bundle_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_bundle_LDADD = $(policy_test_ldadd)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c \
	tests/unit/policy_help.h
tests_unit_test_policy_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_policy_LDADD = $(policy_test_ldadd)
tests_unit_test_policy_errors_SOURCES = tests/unit/test_policy_errors.c \
	tests/unit/policy_help.h
tests_unit_test_policy_errors_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_policy_errors_LDADD = $(policy_test_ldadd)
tests_unit_test_policy_oom_SOURCES = tests/unit/test_policy_oom.c \
	tests/unit/policy_help.h
tests_unit_test_policy_oom_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_policy_oom_LDADD = $(policy_test_ldadd)
tests_unit_test_policy_oom_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=strdup
tests_unit_test_scan_json_SOURCES = tests/unit/test_scan_json.c
tests_unit_test_scan_json_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_scan_json_LDADD = $(policy_test_ldadd)
tests_unit_test_trigger_SOURCES = tests/unit/test_trigger.c
tests_unit_test_trigger_CPPFLAGS = $(policy_test_cppflags)
tests_unit_test_trigger_LDADD = $(policy_test_ldadd)
endif
EXTRA_DIST += tests/unit/golden/mayarbi.txt
