libullage_a_SOURCES += \
	agent/watch/early.c \
	agent/watch/fanotify.c \
	agent/watch/fanotify_record.c \
	agent/watch/handles.c \
	agent/watch/inotify.c \
	agent/watch/job.c \
	agent/watch/look.c \
	agent/watch/measure.c \
	agent/watch/mountinfo.c \
	agent/watch/mounts.c \
	agent/watch/mounts_health.c \
	agent/watch/wdmap.c \
	agent/watch/early.h \
	agent/watch/fanotify.h \
	agent/watch/fanotify_record.h \
	agent/watch/handles.h \
	agent/watch/job.h \
	agent/watch/look.h \
	agent/watch/measure.h \
	agent/watch/mountinfo.h \
	agent/watch/mounts.h \
	agent/watch/watch.h \
	agent/watch/wdmap.h
