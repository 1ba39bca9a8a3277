libullage_a_SOURCES += \
	agent/act/reaper.c \
	agent/act/reap.c \
	agent/act/quarantine.c \
	agent/act/inuse.c \
	agent/act/confine.c \
	agent/act/confine_seccomp.c \
	agent/act/answer.c \
	agent/act/answer.h \
	agent/act/audit.c \
	agent/act/audit.h \
	agent/act/deleted.c agent/act/deleted.h \
	agent/act/holders.c agent/act/holders.h \
	agent/act/procs.c agent/act/procs.h \
	agent/act/ballast.c agent/act/ballast.h \
	agent/act/extent.c agent/act/extent.h \
	agent/act/gain.c \
	agent/act/gain.h \
	agent/act/guard.c \
	agent/act/guard.h \
	agent/act/keep.c \
	agent/act/keep.h \
	agent/act/slot.c \
	agent/act/slot.h \
	agent/act/site.c \
	agent/act/site.h \
	agent/act/hook.c \
	agent/act/hook_run.c \
	agent/act/descend.c \
	agent/act/descend.h \
	agent/act/confine.h \
	agent/act/hook.h \
	agent/act/inuse.h \
	agent/act/quarantine.h \
	agent/act/reap.h \
	agent/act/reaper.h \
	agent/act/reaper_impl.h \
	agent/act/trash.c \
	agent/act/trash.h \
	agent/act/trash_run.c \
	agent/act/trash_run.h
