# Simulated hosts: stories in, decisions out.
check_PROGRAMS += tests/sim/sim
TESTS += tests/sim/run
tests_sim_sim_SOURCES = tests/sim/sim.c \
	tests/sim/bin.c tests/sim/bin.h \
	tests/sim/line.c tests/sim/line.h \
	tests/sim/walk.c tests/sim/walk.h \
	tests/sim/world.c tests/sim/world.h
tests_sim_sim_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=core_obstacle,--wrap=notice_emptied \
	-Wl,--wrap=errand_start,--wrap=errand_free,--wrap=errand_is_done \
	-Wl,--wrap=errand_order,--wrap=errand_result
EXTRA_DIST += tests/sim/run tests/sim/README.md \
	tests/sim/stories/adaptive.expected \
	tests/sim/stories/adaptive.story \
	tests/sim/stories/by-hand.expected \
	tests/sim/stories/by-hand.story \
	tests/sim/stories/cooldown.expected \
	tests/sim/stories/cooldown.story \
	tests/sim/stories/escalation.expected \
	tests/sim/stories/escalation.story \
	tests/sim/stories/filesystem.expected \
	tests/sim/stories/filesystem.story \
	tests/sim/stories/guard-rails.expected \
	tests/sim/stories/guard-rails.story \
	tests/sim/stories/hysteresis.expected \
	tests/sim/stories/hysteresis.story \
	tests/sim/stories/keep-newest.expected \
	tests/sim/stories/keep-newest.story \
	tests/sim/stories/lru-read.expected \
	tests/sim/stories/lru-read.story \
	tests/sim/stories/min-age.expected \
	tests/sim/stories/min-age.story \
	tests/sim/stories/restart.expected \
	tests/sim/stories/restart.story \
	tests/sim/stories/schedule.expected \
	tests/sim/stories/schedule.story \
	tests/sim/stories/seven-components.expected \
	tests/sim/stories/seven-components.story \
	tests/sim/stories/silence.expected \
	tests/sim/stories/silence.story \
	tests/sim/stories/target-missed.expected \
	tests/sim/stories/target-missed.story \
	tests/sim/stories/trash-emergency.expected \
	tests/sim/stories/trash-emergency.story \
	tests/sim/stories/trash.expected \
	tests/sim/stories/trash.story \
	tests/sim/stories/two-filesystems.expected \
	tests/sim/stories/two-filesystems.story
