# Unit tests of base. Each area has a fragment like this.
if UNIT_TESTS
BASE_TESTS = \
	tests/unit/test_base \
	tests/unit/test_beneath \
	tests/unit/test_log \
	tests/unit/test_oom \
	tests/unit/test_text
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)
BASE_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/unit/scratch.h
tests_unit_test_base_CPPFLAGS = $(BASE_TEST_CPPFLAGS)
tests_unit_test_base_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_beneath_SOURCES = tests/unit/test_beneath.c \
	tests/unit/scratch.h
tests_unit_test_beneath_CPPFLAGS = $(BASE_TEST_CPPFLAGS)
tests_unit_test_beneath_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/scratch.h
tests_unit_test_log_CPPFLAGS = $(BASE_TEST_CPPFLAGS)
tests_unit_test_log_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_oom_SOURCES = tests/unit/test_oom.c
tests_unit_test_oom_CPPFLAGS = $(BASE_TEST_CPPFLAGS)
tests_unit_test_oom_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_oom_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=reallocarray -Wl,--wrap=strdup
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_CPPFLAGS = $(BASE_TEST_CPPFLAGS)
tests_unit_test_text_LDADD = $(LDADD) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/check/floors tests/check/floors.tbl tests/check/headers \
	tests/check/style tests/check/self tests/check/catalog
