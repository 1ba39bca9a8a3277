# Unit tests of strategies and alerts: as in base.mk.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_strategies
TESTS += tests/unit/test_strategies
tests_unit_test_strategies_SOURCES = tests/unit/test_strategies.c \
	tests/unit/bed.c tests/unit/bed.h
tests_unit_test_strategies_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_strategies_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_select
TESTS += tests/unit/test_select
tests_unit_test_select_SOURCES = tests/unit/test_select.c \
	tests/unit/bed.c tests/unit/bed.h
tests_unit_test_select_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_select_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_reference
TESTS += tests/unit/test_reference
tests_unit_test_reference_SOURCES = tests/unit/test_reference.c \
	tests/unit/bed.c tests/unit/bed.h
tests_unit_test_reference_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_reference_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_decide_oom
TESTS += tests/unit/test_decide_oom
tests_unit_test_decide_oom_SOURCES = tests/unit/test_decide_oom.c \
	tests/unit/bed.c tests/unit/bed.h
tests_unit_test_decide_oom_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decide_oom_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_decide_oom_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=reallocarray -Wl,--wrap=calloc -Wl,--wrap=strdup

check_PROGRAMS += tests/unit/test_alerts
TESTS += tests/unit/test_alerts
tests_unit_test_alerts_SOURCES = tests/unit/test_alerts.c
tests_unit_test_alerts_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_alerts_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif
check_PROGRAMS += tests/bench/select
tests_bench_select_SOURCES = tests/bench/select.c
