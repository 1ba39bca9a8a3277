# Unit tests of watch: as in base.mk.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_fanotify tests/unit/test_inotify \
	tests/unit/test_look \
	tests/unit/test_measure tests/unit/test_storm
TESTS += tests/unit/test_fanotify tests/unit/test_inotify tests/unit/test_look \
	tests/unit/test_measure tests/unit/test_storm
tests_unit_test_fanotify_SOURCES = tests/unit/test_fanotify.c tests/unit/scratch.h
tests_unit_test_fanotify_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fanotify_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_inotify_SOURCES = tests/unit/test_inotify.c
tests_unit_test_inotify_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_inotify_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_look_SOURCES = tests/unit/test_look.c \
	tests/unit/measure_place.c tests/unit/measure_place.h
tests_unit_test_look_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_look_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_measure_SOURCES = tests/unit/test_measure.c \
	tests/unit/measure_place.c tests/unit/measure_place.h
tests_unit_test_measure_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_measure_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_storm_SOURCES = tests/unit/test_storm.c
tests_unit_test_storm_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_storm_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# How long a first scan takes: tests/bench/run runs it beside du.
check_PROGRAMS += tests/bench/scan
tests_bench_scan_SOURCES = tests/bench/scan.c
