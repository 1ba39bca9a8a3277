libullage_a_SOURCES += \
	strategies/registry.c \
	strategies/select.c \
	strategies/select.h \
	strategies/shortlist.c \
	strategies/shortlist.h \
	strategies/newest.c \
	strategies/newest.h \
	strategies/judge.c \
	strategies/judge.h \
	strategies/time.c \
	strategies/size.c \
	strategies/lru.c \
	strategies/priority.c \
	strategies/adaptive.c \
	strategies/strategies.h
