
# Hooks to be copied into hooks.d, and what systemd has to know.
hooksdir = $(libexecdir)/ullage/hooks
dist_hooks_SCRIPTS = packaging/hooks/webhook
systemdsystemunitdir = $(prefix)/lib/systemd/system
nodist_systemdsystemunit_DATA = packaging/systemd/ullaged.service
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = packaging/completions/ullagectl
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = packaging/completions/_ullagectl
EXTRA_DIST += packaging/systemd/ullaged.service.in \
	packaging/systemd/ullage.sysusers packaging/systemd/ullage.tmpfiles
CLEANFILES += packaging/systemd/ullaged.service

packaging/systemd/ullaged.service: packaging/systemd/ullaged.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging/systemd && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|' -e 's|@bindir[@]|$(bindir)|' \
		$(top_srcdir)/packaging/systemd/ullaged.service.in >$@.new && \
	mv $@.new $@

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
