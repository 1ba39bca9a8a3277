// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A path as the agent knows it: absolute, without symbolic links in the
 * directories (the last component is left as it is), escaped. The file need
 * not exist. ret owned by the caller. Returns 0 or -errno. */
int path_resolve(const char *path, char **ret);
