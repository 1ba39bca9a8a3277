# Unit tests of act: as in base.mk. world.c gives them filesystems.
if UNIT_TESTS
ACT_TESTS = \
	tests/unit/test_inuse \
	tests/unit/test_confine \
	tests/unit/test_quarantine \
	tests/unit/test_reap \
	tests/unit/test_judge \
	tests/unit/test_guard \
	tests/unit/test_extent \
	tests/unit/test_gain \
	tests/unit/test_holders \
	tests/unit/test_ballast \
	tests/unit/test_reaper \
	tests/unit/test_trash \
	tests/unit/test_trash_edges
check_PROGRAMS += $(ACT_TESTS)
TESTS += $(ACT_TESTS)
WORLD = tests/hostile/world.c tests/hostile/world.h tests/unit/reaping.h
tests_unit_test_inuse_SOURCES = tests/unit/test_inuse.c $(WORLD)
tests_unit_test_inuse_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_inuse_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_confine_SOURCES = tests/unit/test_confine.c $(WORLD)
tests_unit_test_confine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_confine_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_quarantine_SOURCES = tests/unit/test_quarantine.c $(WORLD)
tests_unit_test_quarantine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_quarantine_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_reap_SOURCES = tests/unit/test_reap.c $(WORLD)
tests_unit_test_reap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_reap_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_judge_SOURCES = tests/unit/test_judge.c $(WORLD)
tests_unit_test_judge_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_judge_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c $(WORLD)
tests_unit_test_guard_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_guard_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_extent_SOURCES = tests/unit/test_extent.c $(WORLD)
tests_unit_test_extent_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_extent_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_gain_SOURCES = tests/unit/test_gain.c
tests_unit_test_gain_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gain_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fstatfs,--wrap=syncfs \
	-Wl,--wrap=clock_boot_ns,--wrap=clock_nanosleep
tests_unit_test_gain_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_ballast_SOURCES = tests/unit/test_ballast.c $(WORLD)
tests_unit_test_ballast_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_ballast_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fallocate,--wrap=unlinkat
tests_unit_test_ballast_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_holders_SOURCES = tests/unit/test_holders.c $(WORLD)
tests_unit_test_holders_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_holders_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_reaper_SOURCES = tests/unit/test_reaper.c $(WORLD)
tests_unit_test_reaper_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_reaper_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_trash_SOURCES = tests/unit/test_trash.c $(WORLD) \
	tests/hostile/lying.c tests/hostile/lying.h
tests_unit_test_trash_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_trash_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_trash_edges_SOURCES = tests/unit/test_trash_edges.c $(WORLD) \
	tests/hostile/lying.c tests/hostile/lying.h
tests_unit_test_trash_edges_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_trash_edges_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_real_ns
tests_unit_test_trash_edges_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif
