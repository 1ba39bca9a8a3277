# Rivals of the reaper, and how fast it is. Not unit tests: they are run with
# arguments too.
noinst_PROGRAMS += tests/hostile/speed
tests_hostile_speed_SOURCES = tests/hostile/speed.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_speed_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/race
TESTS += tests/hostile/race
tests_hostile_race_SOURCES = tests/hostile/race.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_race_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/kill
TESTS += tests/hostile/kill
tests_hostile_kill_SOURCES = tests/hostile/kill.c \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_kill_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/hostile/kill_trash
TESTS += tests/hostile/kill_trash
tests_hostile_kill_trash_SOURCES = tests/hostile/kill_trash.c \
	tests/hostile/lying.c tests/hostile/lying.h \
	tests/hostile/world.c tests/hostile/world.h
tests_hostile_kill_trash_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
