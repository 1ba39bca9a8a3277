# Unit tests of agent: as in base.mk.

# Loop and control socket.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_loop tests/unit/test_varlink \
	tests/unit/test_control tests/unit/test_control_limits \
	tests/unit/test_control_access
TESTS += tests/unit/test_loop tests/unit/test_varlink \
	tests/unit/test_control tests/unit/test_control_limits \
	tests/unit/test_control_access
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_loop_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_varlink_SOURCES = tests/unit/test_varlink.c
tests_unit_test_varlink_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_varlink_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_control_SOURCES = tests/unit/test_control.c \
	tests/unit/control_world.c tests/unit/control_world.h
tests_unit_test_control_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_control_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_control_limits_SOURCES = tests/unit/test_control_limits.c \
	tests/unit/control_world.c tests/unit/control_world.h
tests_unit_test_control_limits_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_control_limits_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_control_access_SOURCES = tests/unit/test_control_access.c \
	tests/unit/control_world.c tests/unit/control_world.h
tests_unit_test_control_access_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_control_access_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# Warden and hooks.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_hook tests/unit/test_prepare \
	tests/unit/test_warden tests/unit/test_requests \
	tests/unit/test_filesystems
TESTS += tests/unit/test_hook tests/unit/test_prepare \
	tests/unit/test_warden tests/unit/test_requests \
	tests/unit/test_filesystems
tests_unit_test_hook_SOURCES = tests/unit/test_hook.c
tests_unit_test_hook_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_hook_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_warden_SOURCES = tests/unit/test_warden.c \
	tests/unit/puppet.c tests/unit/puppet.h
tests_unit_test_warden_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_warden_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_requests_SOURCES = tests/unit/test_requests.c \
	tests/unit/puppet.c tests/unit/puppet.h
tests_unit_test_requests_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_requests_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=admit_root
tests_unit_test_requests_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_filesystems_SOURCES = tests/unit/test_filesystems.c
tests_unit_test_filesystems_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_filesystems_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_prepare_SOURCES = tests/unit/test_prepare.c
tests_unit_test_prepare_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_prepare_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# What the agent keeps, and what it sends.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_dirty tests/unit/test_growth tests/unit/test_history \
	tests/unit/test_window \
	tests/unit/test_deliver
TESTS += tests/unit/test_dirty tests/unit/test_growth tests/unit/test_history \
	tests/unit/test_window \
	tests/unit/test_deliver
tests_unit_test_window_SOURCES = tests/unit/test_window.c
tests_unit_test_window_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_window_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_dirty_SOURCES = tests/unit/test_dirty.c
tests_unit_test_dirty_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dirty_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_growth_SOURCES = tests/unit/test_growth.c
tests_unit_test_growth_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_growth_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_history_SOURCES = tests/unit/test_history.c
tests_unit_test_history_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_history_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_deliver_SOURCES = tests/unit/test_deliver.c
tests_unit_test_deliver_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_deliver_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# When a trash is emptied.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_trashing
TESTS += tests/unit/test_trashing
tests_unit_test_trashing_SOURCES = tests/unit/test_trashing.c
tests_unit_test_trashing_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_trashing_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=core_obstacle,--wrap=notice_emptied \
	-Wl,--wrap=errand_start,--wrap=errand_free,--wrap=errand_is_done \
	-Wl,--wrap=errand_order,--wrap=errand_result
tests_unit_test_trashing_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# When what was left in quarantine is put back.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_recovering
TESTS += tests/unit/test_recovering
tests_unit_test_recovering_SOURCES = tests/unit/test_recovering.c
tests_unit_test_recovering_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_recovering_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=core_obstacle,--wrap=errand_start
tests_unit_test_recovering_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# How full filesystems are, and what keeps an index true.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_fullness tests/unit/test_feed
TESTS += tests/unit/test_fullness tests/unit/test_feed
tests_unit_test_fullness_SOURCES = tests/unit/test_fullness.c
tests_unit_test_fullness_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fullness_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_feed_SOURCES = tests/unit/test_feed.c \
	tests/unit/measure_place.c tests/unit/measure_place.h
tests_unit_test_feed_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_feed_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# Who is listed first.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_scan
TESTS += tests/unit/test_scan
tests_unit_test_scan_SOURCES = tests/unit/test_scan.c tests/unit/scratch.h
tests_unit_test_scan_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_scan_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# What is saved.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_access tests/unit/test_state_access
TESTS += tests/unit/test_access tests/unit/test_state_access
tests_unit_test_state_access_SOURCES = tests/unit/test_state_access.c \
	tests/unit/scratch.h
tests_unit_test_state_access_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_state_access_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_access_SOURCES = tests/unit/test_access.c tests/unit/scratch.h
tests_unit_test_access_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_access_LDADD = $(LDADD) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_state
TESTS += tests/unit/test_state
tests_unit_test_state_SOURCES = tests/unit/test_state.c tests/unit/scratch.h
tests_unit_test_state_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_state_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=state_file_replace
tests_unit_test_state_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# From paths to places.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_locate
TESTS += tests/unit/test_locate
tests_unit_test_locate_SOURCES = tests/unit/test_locate.c tests/unit/scratch.h
tests_unit_test_locate_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_locate_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# From entries to names.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_resolve
TESTS += tests/unit/test_resolve
tests_unit_test_resolve_SOURCES = tests/unit/test_resolve.c
tests_unit_test_resolve_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_resolve_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# The unit's fence.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_unit
TESTS += tests/unit/test_unit
tests_unit_test_unit_SOURCES = tests/unit/test_unit.c tests/unit/policy_help.h
tests_unit_test_unit_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_unit_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# Whether the clock and the disks can be trusted.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_wallclock
TESTS += tests/unit/test_wallclock
tests_unit_test_wallclock_SOURCES = tests/unit/test_wallclock.c
tests_unit_test_wallclock_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_wallclock_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif

# When the ballast goes.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_ballast_when tests/unit/test_ballast_keep
TESTS += tests/unit/test_ballast_when tests/unit/test_ballast_keep
tests_unit_test_ballast_when_SOURCES = tests/unit/test_ballast_when.c
tests_unit_test_ballast_when_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ballast_when_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_ballast_keep_SOURCES = tests/unit/test_ballast_keep.c
tests_unit_test_ballast_keep_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ballast_keep_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=notice_ballast
tests_unit_test_ballast_keep_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif
