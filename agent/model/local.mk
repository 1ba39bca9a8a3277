libullage_a_SOURCES += \
	agent/model/stype.c \
	agent/model/reason.c \
	agent/model/words.c \
	agent/model/rules.c \
	agent/model/plan.c \
	agent/model/alert.c \
	agent/model/alert.h \
	agent/model/goal.h \
	agent/model/observation.h \
	agent/model/plan.h \
	agent/model/reason.h \
	agent/model/rules.h \
	agent/model/stype.h \
	agent/model/trash.c \
	agent/model/trash.h
