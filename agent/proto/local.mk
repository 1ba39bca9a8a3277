libullage_a_SOURCES += \
	agent/proto/jsoncheck.c \
	agent/proto/jsoncheck.h \
	agent/proto/signature.c \
	agent/proto/signature.h \
	agent/proto/varlink.c \
	agent/proto/varlink.h
nodist_libullage_a_SOURCES += agent/proto/description.c
EXTRA_DIST += agent/proto/io.ullage.Agent.varlink
CLEANFILES += agent/proto/description.c

# The interface description as a C string, a line a line.
agent/proto/description.c: agent/proto/io.ullage.Agent.varlink
	$(AM_V_GEN)$(MKDIR_P) agent/proto && { \
	echo '/* Made from io.ullage.Agent.varlink. */'; \
	echo '#include "proto/varlink.h"'; \
	echo 'const char varlink_description[] ='; \
	$(SED) -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/	"&\\n"/' \
		$(srcdir)/agent/proto/io.ullage.Agent.varlink; \
	echo '	;'; } > $@.tmp && mv -f $@.tmp $@
