// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the paths of the configuration. An ordinary user's agent goes by that
 * user's own directories (XDG Base Directory Specification), root's by those
 * of the system.
 */
#include "warden_config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy_json.h"
#include "strategies/strategies.h"

#define SYSTEM_STATE  ULLAGE_STATEDIR "/state.json"
#define SOCKET_NAME   "io.ullage.Agent"
#define CLAIMS_NAME   "roots"
#define SYSTEM_CLAIMS ULLAGE_RUNDIR "/" CLAIMS_NAME
#define SYSTEM_SOCKET ULLAGE_RUNDIR "/" SOCKET_NAME

static const char *const system_dirs[] = {
	ULLAGE_SYSCONFDIR "/policies.d",
	ULLAGE_RUNDIR "/policies.d",
	ULLAGE_DATADIR "/policies.d",
	NULL,
};

static bool is_system(void)
{
	return geteuid() == 0;
}

static const char *home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir && dir[0] == '/')
		return dir;
	pw = getpwuid(geteuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : "/";
}

/* $variable/ullage/name, or $HOME/fallback/ullage/name; owned by the source.
 * The specification wants relative values to be ignored. */
static const char *user_path(struct warden_source *s, const char *variable,
	const char *fallback, const char *name)
{
	const char *base = getenv(variable);
	bool is_given = base && base[0] == '/';
	char *path;
	int n;

	if (s->n_owned == ARRAY_SIZE(s->owned))
		return NULL;
	if (is_given)
		n = asprintf(&path, "%s/ullage/%s", base, name);
	else
		n = asprintf(&path, "%s/%s/ullage/%s", home(), fallback, name);
	if (n < 0)
		return NULL;
	s->owned[s->n_owned++] = path;
	return path;
}

static int init_user_paths(struct warden_source *s)
{
	if (!s->main_path)
		s->main_path = user_path(
			s, "XDG_CONFIG_HOME", ".config", "ullage.json");
	s->usual_dirs[0] =
		user_path(s, "XDG_CONFIG_HOME", ".config", "policies.d");
	s->claims_dir =
		user_path(s, "XDG_RUNTIME_DIR", ".local/state", CLAIMS_NAME);
	return s->main_path && s->usual_dirs[0] && s->claims_dir ? 0 : -ENOMEM;
}

int warden_source_init(
	const struct warden_options *options, struct warden_source *ret)
{
	int r = 0;

	*ret = (struct warden_source){
		.main_path = options->config_file,
		.is_main_optional = !options->config_file,
		.env =
			{
				.strategies = strategy_names,
				.root_override = options->root,
				.state_override = options->state_file,
				.socket_override = options->socket_path,
				.is_lenient_user = !is_system(),
			},
	};
	if (is_system()) {
		if (!ret->main_path)
			ret->main_path = ULLAGE_SYSCONFDIR "/ullage.json";
		ret->claims_dir = SYSTEM_CLAIMS;
		memcpy(ret->usual_dirs, system_dirs, sizeof(system_dirs));
	} else {
		r = init_user_paths(ret);
	}
	ret->dirs =
		options->policy_dirs ? options->policy_dirs : ret->usual_dirs;
	if (r < 0)
		warden_source_fini(ret);
	return r;
}

void warden_source_fini(struct warden_source *s)
{
	for (size_t i = 0; i < s->n_owned; i++)
		free(s->owned[i]);
	s->n_owned = 0;
}

/*
 * State and socket of an ordinary user, where neither option nor
 * configuration says anything: only known once it has been read. Returns 1 if
 * it has to be judged again, 0, or -ENOMEM.
 */
static int settle_user(struct warden_source *s, const struct config *c)
{
	struct config_env before = s->env;

	if (is_system())
		return 0;
	if (!s->env.state_override && strcmp(c->state_file, SYSTEM_STATE) == 0)
		s->env.state_override = user_path(
			s, "XDG_STATE_HOME", ".local/state", "state.json");
	if (!s->env.socket_override &&
		strcmp(c->socket_path, SYSTEM_SOCKET) == 0)
		s->env.socket_override = user_path(
			s, "XDG_RUNTIME_DIR", ".local/state", SOCKET_NAME);
	return s->env.state_override != before.state_override ||
	       s->env.socket_override != before.socket_override;
}

static int parse(const struct warden_source *s, struct warden_config *c,
	struct buf *errors)
{
	config_free(c->config);
	c->config = NULL;
	buf_reset(&c->notes);
	return config_parse(&c->bundle, &s->env, &c->config, errors, &c->notes);
}

int warden_config_read(
	struct warden_source *s, struct warden_config *ret, struct buf *errors)
{
	struct warden_config c = {0};
	int r = bundle_read(
		&c.bundle, s->main_path, s->is_main_optional, s->dirs, errors);

	if (r == 0)
		r = parse(s, &c, errors);
	if (r == 0 && settle_user(s, c.config) > 0)
		r = parse(s, &c, errors);
	if (r < 0) {
		warden_config_fini(&c);
		if (errors->len == 0)
			(void)buf_printf(
				errors, "%s: %s\n", s->main_path, strerror(-r));
		return r;
	}
	*ret = c;
	return 0;
}

void warden_config_fini(struct warden_config *c)
{
	bundle_fini(&c->bundle);
	config_free(c->config);
	buf_fini(&c->notes);
	*c = (struct warden_config){0};
}
