ullagectl_SOURCES = \
	ctl/ullagectl.c \
	ctl/args.c ctl/args.h \
	ctl/client.c ctl/client.h \
	ctl/deliver.c ctl/deliver.h \
	ctl/field.c ctl/field.h \
	ctl/help.c ctl/help.h \
	ctl/local_agent.c ctl/local_agent.h \
	ctl/path.c ctl/path.h \
	ctl/print.c ctl/print.h \
	ctl/remote.c ctl/remote.h \
	ctl/show.c ctl/show.h \
	ctl/suggest.c ctl/suggest.h \
	ctl/table.c ctl/table.h \
	ctl/verbs.c ctl/verbs.h \
	ctl/verbs_cleanup.c \
	ctl/verbs_config.c \
	ctl/verbs_events.c \
	ctl/verbs_files.c \
	ctl/verbs_status.c \
	ctl/verbs_trash.c
ullagectl_LDADD = libullage.a $(BSD_LIBS) $(JSON_LIBS)
