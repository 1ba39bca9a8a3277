ullaged_SOURCES = agent/main.c
libullage_a_SOURCES += \
	agent/access.c agent/access.h \
	agent/actors.c agent/actors.h \
	agent/alerts.c agent/alerts.h \
	agent/silence.c agent/silence.h \
	agent/loop.c agent/loop.h \
	agent/control.c agent/control.h \
	agent/control_client.c agent/control_client.h \
	agent/control_peer.c agent/control_peer.h \
	agent/control_service.c agent/control_service.h \
	agent/control_socket.c agent/control_socket.h \
	agent/channel.h agent/agent.h \
	agent/dirty.c agent/dirty.h \
	agent/feed.c agent/feed.h agent/feed_impl.h \
	agent/feed_queue.c agent/feed_dispatch.c agent/feed_result.c \
	agent/feed_again.c agent/feed_nameless.c agent/feed_source.c \
	agent/figures.c agent/figures.h \
	agent/wire.c agent/wire.h \
	agent/agent.c agent/core.h agent/component.h \
	agent/cleanup.c agent/cleanup.h agent/cleanup_impl.h \
	agent/cleanup_choice.c agent/cleanup_outcome.c \
	agent/slice.c agent/slice.h \
	agent/beat.c agent/beat.h \
	agent/cycle.c agent/cycle.h \
	agent/order.c agent/order.h \
	agent/emergency.c agent/emergency.h \
	agent/errand.c agent/errand.h \
	agent/trashing.c agent/trashing.h \
	agent/methods_trash.c \
	agent/deletions.c agent/deletions.h \
	agent/deliver.c agent/deliver.h \
	agent/filesystems.c agent/filesystems.h \
	agent/growth.c agent/growth.h \
	agent/history.c agent/history.h \
	agent/json.c agent/json.h \
	agent/latch.c agent/latch.h \
	agent/ledger.c agent/ledger.h \
	agent/locate.c agent/locate.h \
	agent/methods.c agent/methods.h agent/methods_files.c \
	agent/methods_growth.c agent/methods_held.c \
	agent/methods_cleanup.c agent/methods_config.c agent/methods_operate.c \
	agent/core.c \
	agent/notice.c agent/notice.h agent/notice_faults.c \
	agent/notice_feed.c agent/notice_filesystem.c \
	agent/pressure.c agent/pressure.h \
	agent/recovering.c agent/recovering.h \
	agent/reload.c agent/reload.h \
	agent/scan.c agent/scan.h \
	agent/setup.c agent/setup.h \
	agent/sources.c agent/sources.h \
	agent/report.c agent/report.h agent/report_scan.c \
	agent/resolve.c agent/resolve.h \
	agent/state.c agent/state.h agent/state_load.c agent/state_impl.h \
	agent/state_access.c agent/state_access.h agent/state_figures.c \
	agent/state_file.c agent/state_file.h \
	agent/state_saver.c agent/state_saver.h \
	agent/wallclock.c agent/wallclock.h \
	agent/window.c agent/window.h \
	agent/why.c agent/why.h

# Warden: the parent process and what it starts.
libullage_a_SOURCES += \
	agent/warden.c agent/warden.h agent/warden_impl.h \
	agent/warden_serve.c \
	agent/warden_config.c agent/warden_config.h \
	agent/ballast.c agent/ballast.h \
	agent/blockers.c agent/blockers.h \
	agent/warden_holders.c agent/warden_holders.h \
	agent/warden_ballast.c agent/warden_ballast.h \
	agent/warden_child.c agent/warden_child.h \
	agent/warden_claims.c agent/warden_claims.h \
	agent/warden_survey.c agent/warden_survey.h \
	agent/warden_files.c agent/warden_files.h \
	agent/warden_reap.c agent/warden_reap.h \
	agent/warden_hooks.c agent/warden_hooks.h \
	agent/warden_mark.c agent/warden_mark.h \
	agent/warden_unit.c agent/warden_unit.h \
	agent/prepare.c agent/prepare.h \
	agent/privs.c agent/privs.h \
	agent/notify.c agent/notify.h
