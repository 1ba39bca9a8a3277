libullage_a_SOURCES += \
	agent/watch/inotify.c \
	agent/watch/job.c \
	agent/watch/look.c \
	agent/watch/measure.c \
	agent/watch/mounts.c \
	agent/watch/mounts_health.c \
	agent/watch/wdmap.c \
	agent/watch/job.h \
	agent/watch/look.h \
	agent/watch/measure.h \
	agent/watch/mounts.h \
	agent/watch/watch.h \
	agent/watch/wdmap.h
