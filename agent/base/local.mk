libullage_a_SOURCES += \
	agent/base/account.c \
	agent/base/mem.c \
	agent/base/fd.c \
	agent/base/clock.c \
	agent/base/units.c \
	agent/base/escape.c \
	agent/base/hash.c \
	agent/base/beneath.c \
	agent/base/log.c \
	agent/base/process.c \
	agent/base/table.c \
	agent/base/trusted.c \
	agent/base/account.h \
	agent/base/beneath.h \
	agent/base/clock.h \
	agent/base/escape.h \
	agent/base/fd.h \
	agent/base/hash.h \
	agent/base/log.h \
	agent/base/mem.h \
	agent/base/messages.tbl \
	agent/base/process.h \
	agent/base/table.h \
	agent/base/trusted.h \
	agent/base/units.h

# What journalctl --catalog tells about our messages.
catalogdir = $(prefix)/lib/systemd/catalog
nodist_catalog_DATA = packaging/ullage.catalog
CLEANFILES += packaging/ullage.catalog
EXTRA_DIST += packaging/catalog.awk
packaging/ullage.catalog: agent/base/messages.tbl packaging/catalog.awk
	$(AM_V_GEN)$(MKDIR_P) packaging && \
	$(AWK) -f $(top_srcdir)/packaging/catalog.awk \
		$(top_srcdir)/agent/base/messages.tbl >$@.tmp && mv $@.tmp $@
