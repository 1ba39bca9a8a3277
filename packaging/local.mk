
# Hooks to be copied into hooks.d, and what systemd has to know.
hooksdir = $(libexecdir)/ullage/hooks
dist_hooks_SCRIPTS = packaging/hooks/webhook
# Where systemd looks, whatever prefix all else has.
systemdsystemunitdir = $(prefix)/lib/systemd/system
systemdgeneratordir = $(prefix)/lib/systemd/system-generators
nodist_systemdsystemunit_DATA = packaging/systemd/ullaged.service \
	packaging/systemd/ullage-hooks.socket \
	packaging/systemd/ullage-hooks@.service
nodist_systemdgenerator_SCRIPTS = packaging/systemd/ullage-generator
# A drop-in to be copied by who wants it.
examplesdir = $(datadir)/ullage
dist_examples_DATA = packaging/systemd/fanotify.conf
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = packaging/completions/ullagectl
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = packaging/completions/_ullagectl
EXTRA_DIST += packaging/systemd/ullaged.service.in \
	packaging/systemd/ullage-hooks.socket.in \
	packaging/systemd/ullage-hooks@.service.in \
	packaging/systemd/ullage-generator.in \
	packaging/systemd/ullage.sysusers packaging/systemd/ullage.tmpfiles
CLEANFILES += $(nodist_systemdsystemunit_DATA) \
	$(nodist_systemdgenerator_SCRIPTS)

$(nodist_systemdsystemunit_DATA) $(nodist_systemdgenerator_SCRIPTS): Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging/systemd && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|' -e 's|@bindir[@]|$(bindir)|' \
		-e 's|@rundir[@]|/run/ullage|' \
		-e 's|@statedir[@]|$(localstatedir)/lib/ullage|' \
		$(top_srcdir)/$@.in >$@.new && \
	mv $@.new $@
packaging/systemd/ullaged.service: packaging/systemd/ullaged.service.in
packaging/systemd/ullage-hooks.socket: packaging/systemd/ullage-hooks.socket.in
packaging/systemd/ullage-hooks@.service: packaging/systemd/ullage-hooks@.service.in
packaging/systemd/ullage-generator: packaging/systemd/ullage-generator.in

install-data-local: install-ullage-data
install-ullage-data:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)' \
		'$(DESTDIR)$(sysconfdir)/ullage/policies.d' \
		'$(DESTDIR)$(sysconfdir)/ullage/hooks.d'
	$(INSTALL_DATA) $(top_srcdir)/packaging/systemd/ullage.sysusers \
		'$(DESTDIR)$(sysusersdir)/ullage.conf'
	$(INSTALL_DATA) $(top_srcdir)/packaging/systemd/ullage.tmpfiles \
		'$(DESTDIR)$(tmpfilesdir)/ullage.conf'
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)' # one file for both, by name
	ln -sf ullagectl '$(DESTDIR)$(bashcompletiondir)/ullaged'
uninstall-local: uninstall-ullage-data
uninstall-ullage-data:
	rm -f '$(DESTDIR)$(sysusersdir)/ullage.conf' \
		'$(DESTDIR)$(tmpfilesdir)/ullage.conf' \
		'$(DESTDIR)$(bashcompletiondir)/ullaged'
