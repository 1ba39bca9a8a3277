libullage_a_SOURCES += \
	agent/index/index.c agent/index/index.h agent/index/impl.h \
	agent/index/tidy.c agent/index/read.c agent/index/check.c \
	agent/index/pool.c agent/index/pool.h \
	agent/index/nodes.c agent/index/nodes.h \
	agent/index/links.c agent/index/links.h
