# Tests in which each allocation fails once: tests/unit/failing.h.
if UNIT_TESTS
failing_ldflags = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf
failing_tests = \
	tests/unit/test_index_oom \
	tests/unit/test_proto_oom \
	tests/unit/test_act_oom
check_PROGRAMS += $(failing_tests)
TESTS += $(failing_tests)
tests_unit_test_index_oom_SOURCES = tests/unit/test_index_oom.c \
	tests/unit/failing.h
tests_unit_test_index_oom_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_index_oom_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_index_oom_LDFLAGS = $(failing_ldflags)
tests_unit_test_proto_oom_SOURCES = tests/unit/test_proto_oom.c \
	tests/unit/failing.h
tests_unit_test_proto_oom_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_proto_oom_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proto_oom_LDFLAGS = $(failing_ldflags)
tests_unit_test_act_oom_SOURCES = tests/unit/test_act_oom.c \
	tests/unit/failing.h $(WORLD)
tests_unit_test_act_oom_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_act_oom_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_act_oom_LDFLAGS = $(failing_ldflags)
endif

# Corners by direct calls, and components with two roots.
if UNIT_TESTS
corner_tests = \
	tests/unit/test_act_edges \
	tests/unit/test_act_roots \
	tests/unit/test_parse_edges
check_PROGRAMS += $(corner_tests)
TESTS += $(corner_tests)
tests_unit_test_act_roots_SOURCES = tests/unit/test_act_roots.c $(WORLD)
tests_unit_test_act_roots_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	$(CMOCKA_CFLAGS)
tests_unit_test_act_roots_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_act_edges_SOURCES = tests/unit/test_act_edges.c \
	tests/unit/scratch.h
tests_unit_test_act_edges_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_act_edges_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_parse_edges_SOURCES = tests/unit/test_parse_edges.c
tests_unit_test_parse_edges_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_parse_edges_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif
