# Rivals of the reaper, and how fast it is. Not unit tests: they are run with
# arguments too.
noinst_PROGRAMS += tests/hostile/speed
tests_hostile_speed_SOURCES = tests/hostile/speed.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_speed_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/race
TESTS += tests/hostile/race
tests_hostile_race_SOURCES = tests/hostile/race.c \
	tests/hostile/race_attacks.c tests/hostile/race.h \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_race_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/kill
TESTS += tests/hostile/kill
tests_hostile_kill_SOURCES = tests/hostile/kill.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_kill_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

# A kernel that lacks what tests/system/test_fail_closed.py names.
noinst_PROGRAMS += tests/hostile/refuse
tests_hostile_refuse_SOURCES = tests/hostile/refuse.c
tests_hostile_refuse_LDADD =

check_PROGRAMS += tests/hostile/opener
TESTS += tests/hostile/opener
tests_hostile_opener_SOURCES = tests/hostile/opener.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_opener_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

# Faults: calls that fail, processes that are killed, power that is cut.
check_PROGRAMS += tests/hostile/calls
TESTS += tests/hostile/calls
tests_hostile_calls_SOURCES = tests/hostile/calls.c tests/hostile/calls.h \
	tests/hostile/calls_trash.c tests/hostile/calls_ballast.c \
	tests/hostile/desk.c tests/hostile/desk.h \
	tests/hostile/inject.c tests/hostile/inject.h \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_calls_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_PROGRAMS += tests/hostile/power
TESTS += tests/hostile/power
tests_hostile_power_SOURCES = tests/hostile/power.c \
	tests/hostile/desk.c tests/hostile/desk.h \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_power_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/kill_trash
TESTS += tests/hostile/kill_trash
tests_hostile_kill_trash_SOURCES = tests/hostile/kill_trash.c \
	tests/hostile/lying.c tests/hostile/lying.h \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_kill_trash_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
