ullaged_SOURCES = agent/main.c
libullage_a_SOURCES += \
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
	agent/wire.c agent/wire.h \
	agent/agent.c agent/core.h agent/component.h \
	agent/cleanup.c agent/cleanup.h \
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
	agent/history.c agent/history.h \
	agent/json.c agent/json.h \
	agent/locate.c agent/locate.h \
	agent/methods.c agent/methods.h agent/methods_files.c \
	agent/methods_cleanup.c agent/methods_config.c agent/methods_operate.c \
	agent/core.c \
	agent/notice.c agent/notice.h \
	agent/reload.c agent/reload.h \
	agent/setup.c agent/setup.h \
	agent/report.c agent/report.h \
	agent/resolve.c agent/resolve.h \
	agent/state.c agent/state.h \
	agent/why.c agent/why.h

# Warden: the parent process and what it starts.
libullage_a_SOURCES += \
	agent/warden.c agent/warden.h agent/warden_impl.h \
	agent/warden_serve.c \
	agent/warden_config.c agent/warden_config.h \
	agent/warden_child.c agent/warden_child.h \
	agent/warden_survey.c agent/warden_survey.h \
	agent/warden_files.c agent/warden_files.h \
	agent/warden_reap.c agent/warden_reap.h \
	agent/warden_hooks.c agent/warden_hooks.h \
	agent/prepare.c agent/prepare.h \
	agent/privs.c agent/privs.h \
	agent/notify.c agent/notify.h
