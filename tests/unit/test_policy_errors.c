// SPDX-License-Identifier: GPL-2.0-or-later
/* What a configuration must not say, and how that is told: every line in
 * full, with its place. */
#include "policy_help.h"

#include <errno.h>
#include <stdio.h>

struct bad {
	const char *text, *errors;
};

/* clang-format off */
static const struct bad bad_policies[] = {
	{"[]",
	 "p:1:1: /: expected an object: { ... }\n"},
	{"{}",
	 "p:1:1: /: \"component\" is missing: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"
	 "p:1:1: /: \"allocation\" is missing: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1%\n"},
	{"{\"component\": \"c\"}",
	 "p:1:1: /: \"allocation\" is missing: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1%\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",}",
	 "p:1:40: /: expected another key after \",\": the last one has no comma after it\n"},
	{"{\"component\": \"Feeds\", \"allocation\": \"1GB\"}",
	 "p:1:15: /component: \"Feeds\" is not allowed: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"},
	{"{\"component\": \"../c\", \"allocation\": \"1GB\"}",
	 "p:1:15: /component: \"../c\" is not allowed: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"},
	{"{\"component\": \"\", \"allocation\": \"1GB\"}",
	 "p:1:15: /component: \"\" is not allowed: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"},
	{"{\"component\": \".c\", \"allocation\": \"1GB\"}",
	 "p:1:15: /component: \".c\" is not allowed: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"},
	{"{\"component\": \"ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\", \"allocation\": \"1GB\"}",
	 "p:1:15: /component: \"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc...\" is not allowed: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit\n"},
	{"{\"component\": 7, \"allocation\": \"1GB\"}",
	 "p:1:15: /component: expected a name of at most 64 of the characters a-z 0-9 . _ -, beginning with a letter or digit, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": 0}",
	 "p:1:34: /allocation: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1%, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"0\"}",
	 "p:1:34: /allocation: \"0\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (the unit is missing)\n"},
	{"{\"component\": \"c\", \"allocation\": \"0%\"}",
	 "p:1:34: /allocation: \"0%\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (it is too small)\n"},
	{"{\"component\": \"c\", \"allocation\": \"3000\"}",
	 "p:1:34: /allocation: \"3000\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (the unit is missing)\n"},
	{"{\"component\": \"c\", \"allocation\": \"63KB\"}",
	 "p:1:34: /allocation: \"63KB\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (it is too small)\n"},
	{"{\"component\": \"c\", \"allocation\": \"101%\"}",
	 "p:1:34: /allocation: \"101%\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (a share is at most 100%)\n"},
	{"{\"component\": \"c\", \"allocation\": \"0.09%\"}",
	 "p:1:34: /allocation: \"0.09%\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (it is too small)\n"},
	{"{\"component\": \"c\", \"allocation\": \"9999999999GB\"}",
	 "p:1:34: /allocation: \"9999999999GB\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (it is too large)\n"},
	{"{\"component\": \"c\", \"allocation\": \"3XB\"}",
	 "p:1:34: /allocation: \"3XB\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (units are KB, MB, GB and TB)\n"},
	{"{\"component\": \"c\", \"allocation\": \"-1GB\"}",
	 "p:1:34: /allocation: \"-1GB\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (units are KB, MB, GB and TB)\n"},
	{"{\"component\": \"c\", \"allocation\": \"\"}",
	 "p:1:34: /allocation: \"\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (units are KB, MB, GB and TB)\n"},
	{"{\"component\": \"c\", \"allocation\": null}",
	 "p:1:34: /allocation: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1%, found null\n"},
	{"{\"component\": \"c\", \"allocation\": \"1 G B\"}",
	 "p:1:34: /allocation: \"1 G B\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 64KB or 0.1% (units are KB, MB, GB and TB)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"alocation\": \"2GB\"}",
	 "p:2:1: /alocation: unknown key; did you mean \"allocation\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"dta\": \"1d\"}}",
	 "p:2:15: /retention/dta: unknown key; did you mean \"data\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"config\": \"1d\"}}",
	 "p:2:15: /retention/config: unknown key: allowed are data logs cache temp backup\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"cooldown\": \"1s\"}",
	 "p:2:1: /cooldown: unknown key: allowed are component priority allocation warning critical target retention age strategy interval compression backup trash mode paths user owners protect keepNewest minAge giveUpConfig limits\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"zzzzzz\": 1}",
	 "p:2:1: /zzzzzz: unknown key: allowed are component priority allocation warning critical target retention age strategy interval compression backup trash mode paths user owners protect keepNewest minAge giveUpConfig limits\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"watch\": \"auto\"}",
	 "p:2:1: /watch: unknown key: allowed are component priority allocation warning critical target retention age strategy interval compression backup trash mode paths user owners protect keepNewest minAge giveUpConfig limits\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"trash\": true}",
	 "p:2:10: /trash: expected a duration such as \"48h\", \"90d\" or \"10min\", from 0s to 1y, found true or false\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"files\": 1, \"cooldown\": \"1s\"}}",
	 "p:2:24: /limits/cooldown: unknown key: allowed are files share bytes filesystem errors errorShare\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits/files\": 3}",
	 "p:2:1: /limits~1files: unknown key: allowed are component priority allocation warning critical target retention age strategy interval compression backup trash mode paths user owners protect keepNewest minAge giveUpConfig limits\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"Mode\": \"enforce\"}",
	 "p:2:1: /Mode: unknown key; did you mean \"mode\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"priority\": \"hihg\"}",
	 "p:2:13: /priority: \"hihg\" is not allowed: expected one of \"low\", \"normal\", \"high\", \"critical\"; did you mean \"high\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"priority\": 3}",
	 "p:2:13: /priority: expected one of \"low\", \"normal\", \"high\", \"critical\", found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"mode\": \"delete\"}",
	 "p:2:9: /mode: \"delete\" is not allowed: expected one of \"observe\", \"canary\", \"enforce\"\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"age\": \"Born\"}",
	 "p:2:8: /age: \"Born\" is not allowed: expected one of \"born\", \"modified\", \"accessed\"; did you mean \"born\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"strategy\": \"lru2\"}",
	 "p:2:13: /strategy: \"lru2\" is not allowed: expected one of \"time\", \"size\", \"lru\", \"priority\", \"adaptive\"; did you mean \"lru\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"strategy\": []}",
	 "p:2:13: /strategy: expected one of \"time\", \"size\", \"lru\", \"priority\", \"adaptive\", found an array\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": \"90d\"}",
	 "p:2:14: /retention: expected an object, found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"data\": 90}}",
	 "p:2:23: /retention/data: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1000y, or \"forever\", found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"data\": \"90\"}}",
	 "p:2:23: /retention/data: \"90\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1000y, or \"forever\" (units are s, min, h, d, w and y)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"data\": \"0s\"}}",
	 "p:2:23: /retention/data: \"0s\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1000y, or \"forever\" (it is out of range)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"data\": \"1001y\"}}",
	 "p:2:23: /retention/data: \"1001y\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1000y, or \"forever\" (it is out of range)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"data\": \"-3s\"}}",
	 "p:2:23: /retention/data: \"-3s\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1000y, or \"forever\" (units are s, min, h, d, w and y)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"retention\": {\"config\": \"90d\"}}",
	 "p:2:15: /retention/config: unknown key: allowed are data logs cache temp backup\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"minAge\": \"forever\"}",
	 "p:2:11: /minAge: \"forever\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 0s to 1000y (units are s, min, h, d, w and y)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"interval\": \"2y\"}",
	 "p:2:13: /interval: \"2y\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 0s to 1y (it is out of range)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"compression\": \"yes\"}",
	 "p:2:16: /compression: expected true or false, found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"backup\": 1}",
	 "p:2:11: /backup: expected true or false, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"giveUpConfig\": null}",
	 "p:2:17: /giveUpConfig: expected true or false, found null\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"keepNewest\": {\"backup\": -1}}",
	 "p:2:26: /keepNewest/backup: \"-1\" is not allowed: expected a whole number from 0 to 1000000\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"keepNewest\": {\"backup\": 1.5}}",
	 "p:2:26: /keepNewest/backup: expected a whole number from 0 to 1000000, found a fraction\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"keepNewest\": {\"backup\": \"3\"}}",
	 "p:2:26: /keepNewest/backup: expected a whole number from 0 to 1000000, found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"keepNewest\": 3}",
	 "p:2:15: /keepNewest: expected an object, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"files\": 0}}",
	 "p:2:21: /limits/files: \"0\" is not allowed: expected a whole number from 1 to 1000000000\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"files\": 1000000001}}",
	 "p:2:21: /limits/files: \"1000000001\" is not allowed: expected a whole number from 1 to 1000000000\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"share\": \"101%\"}}",
	 "p:2:21: /limits/share: \"101%\" is not allowed: expected a share such as \"20%\", from 0.1% to 100%\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"share\": 20}}",
	 "p:2:21: /limits/share: expected a share such as \"20%\", from 0.1% to 100%, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"errors\": 0}}",
	 "p:2:22: /limits/errors: \"0\" is not allowed: expected a whole number from 1 to 1000000\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"warning\": \"95%\"}",
	 "p:2:12: /warning: warning must be less than critical\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"critical\": \"70%\"}",
	 "p:2:13: /critical: warning must be less than critical\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"target\": \"80%\"}",
	 "p:2:11: /target: target must be less than warning\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"warning\": \"2GB\"}",
	 "p:2:12: /warning: expected no more than the allocation\n"
	 "p:2:12: /warning: warning must be less than critical\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"critical\": \"900MB\", \"warning\": \"900MB\"}",
	 "p:2:33: /warning: warning must be less than critical\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"target\": \"900MB\"}",
	 "p:2:11: /target: target must be less than warning\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"warning\": \"0%\"}",
	 "p:2:12: /warning: \"0%\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 1B or 1% (it is too small)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"warning\": \"0B\"}",
	 "p:2:12: /warning: \"0B\" is not allowed: expected a size with a unit such as \"3000MB\", or a share such as \"20%\", from 1B or 1% (it is too small)\n"},
	{"{\"component\": \"c\", \"allocation\": \"20%\", \"warning\": \"1GB\"}",
	 "p:1:52: /warning: expected a share such as \"80%\": the allocation is a share of the filesystem\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": \"/srv/x\"}}",
	 "p:2:19: /paths/data: expected an array of absolute paths, found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [3]}}",
	 "p:2:20: /paths/data/0: expected an absolute path, found a number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"srv/x\"]}}",
	 "p:2:20: /paths/data/0: \"srv/x\" is not allowed: expected an absolute path (it is not absolute: begin with \"/\")\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/../etc\"]}}",
	 "p:2:20: /paths/data/0: \"/srv/../etc\" is not allowed: expected an absolute path (\"..\" is not allowed)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv//x\"]}}",
	 "p:2:20: /paths/data/0: \"/srv//x\" is not allowed: expected an absolute path (\"//\" is not allowed: write one slash)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/x/\"]}}",
	 "p:2:20: /paths/data/0: \"/srv/x/\" is not allowed: expected an absolute path (a slash at the end is not allowed)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/\"]}}",
	 "p:2:20: /paths/data/0: \"/\" cannot be managed: it is too near to \"/\": at least two levels\n"
	 "p:2:20: /paths/data/0: \"/\" overlaps \"/srv/ullage/backup/c\" of component \"c\": each directory belongs to one type of one component\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv\"]}}",
	 "p:2:20: /paths/data/0: \"/srv\" cannot be managed: it is too near to \"/\": at least two levels\n"
	 "p:2:20: /paths/data/0: \"/srv\" overlaps \"/srv/ullage/backup/c\" of component \"c\": each directory belongs to one type of one component\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"logs\": [\"/var/log\"]}}",
	 "p:2:20: /paths/logs/0: \"/var/log\" cannot be managed: it is shared with the rest of the system: name a directory below it\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/etc/x\"]}}",
	 "p:2:20: /paths/data/0: \"/etc/x\" cannot be managed: /etc belongs to the system: nothing at, above or below it is managed\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/home/u\"]}}",
	 "p:2:20: /paths/data/0: \"/home/u\" cannot be managed: it is a home directory: name a directory below it\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/x\", \"/srv/x\"]}}",
	 "p:2:30: /paths/data/1: \"/srv/x\" overlaps \"/srv/x\" of component \"c\": each directory belongs to one type of one component\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/x/y\"], \"logs\": [\"/srv/x\"]}}",
	 "p:2:42: /paths/logs/0: \"/srv/x\" overlaps \"/srv/x/y\" of component \"c\": each directory belongs to one type of one component\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/ullage\"]}}",
	 "p:2:20: /paths/data/0: \"/srv/ullage\" overlaps \"/srv/ullage/backup/c\" of component \"c\": each directory belongs to one type of one component\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [], \"logs\": [], \"cache\": [], \"temp\": [], \"backup\": [], \"config\": []}}",
	 "p:2:10: /paths: every type is switched off: name a directory of at least one\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"dat\": []}}",
	 "p:2:11: /paths/dat: unknown key; did you mean \"data\"?\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"user\": \"no-such\"}",
	 "p:2:9: /user: there is no user \"no-such\" on this system: create it (useradd --system), or name another by name or number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"user\": \"\"}",
	 "p:2:9: /user: there is no user \"\" on this system: create it (useradd --system), or name another by name or number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"user\": 4294967295}",
	 "p:2:9: /user: there is no user \"4294967295\" on this system: create it (useradd --system), or name another by name or number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"owners\": [\"no-such\"]}",
	 "p:2:12: /owners/0: there is no user \"no-such\" on this system: create it (useradd --system), or name another by name or number\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"owners\": []}",
	 "p:2:11: /owners: an empty list is not allowed: name users, or \"*\", or leave the key out\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"owners\": [\"*\", \"root\"]}",
	 "p:2:11: /owners: \"*\" is anyone: name it alone, or name users\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"owners\": \"*\"}",
	 "p:2:11: /owners: expected an array of user names or numbers, or [\"*\"], found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"owners\": [true]}",
	 "p:2:12: /owners/0: expected a user name or number, found true or false\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"a\", \"\"]}",
	 "p:2:18: /protect/1: \"\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (it is empty)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"/\"]}",
	 "p:2:13: /protect/0: \"/\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (it is empty)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"[a\"]}",
	 "p:2:13: /protect/0: \"[a\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (\"[\" is not closed)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"./a\"]}",
	 "p:2:13: /protect/0: \"./a\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (no path has \".\" or \"..\" in it)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"a/../b\"]}",
	 "p:2:13: /protect/0: \"a/../b\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (no path has \".\" or \"..\" in it)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"a//b\"]}",
	 "p:2:13: /protect/0: \"a//b\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (nothing stands between two \"/\")\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"*.{a,b}\"]}",
	 "p:2:13: /protect/0: \"*.{a,b}\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (\"{\" makes no alternatives: write a pattern for each, or \"\\{\" for the character)\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"[[:alpha:]]\"]}",
	 "p:2:13: /protect/0: \"[[:alpha:]]\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (\"[:\" names no class: write a range, such as [a-zA-Z])\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [\"a\\\\\"]}",
	 "p:2:13: /protect/0: \"a\\\\\" is not allowed: expected a pattern such as \"*.lock\" or \"keys/**\" (nothing follows \"\\\")\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": [null]}",
	 "p:2:13: /protect/0: expected a pattern such as \"*.lock\" or \"keys/**\", found null\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"protect\": \"x\"}",
	 "p:2:12: /protect: expected an array of patterns such as \"*.lock\" or \"keys/**\", found a string\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"paths\": {\"data\": [\"/srv/feeds\"]}, \"protect\": [\"*.x\", \"/srv/feeds/keys/**\"]}",
	 "p:2:55: /protect/1: expected a pattern relative to the directories, without the directory in front\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"mode\": \"enforce\", \"mode\": \"observe\"}",
	 "p:2:20: /mode: this key is given twice, first on line 2: keep one\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"minAge\": NaN}",
	 "p:2:11: /minAge: \"NaN\" is no value: allowed are strings in double quotes, numbers, true, false, objects and arrays\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"limits\": {\"files\": 99999999999999999999}}",
	 "p:2:21: /limits/files: the number is out of range: 64 bits\n"},
	{"{\"component\": \"c\", \"allocation\": \"1GB\",\n"
	 "\"strtegy\": \"lru\",\n"
	 "\"mode\": \"delete\",\n"
	 "\"minAge\": 3}",
	 "p:2:1: /strtegy: unknown key; did you mean \"strategy\"?\n"
	 "p:3:9: /mode: \"delete\" is not allowed: expected one of \"observe\", \"canary\", \"enforce\"\n"
	 "p:4:11: /minAge: expected a duration such as \"48h\", \"90d\" or \"10min\", from 0s to 1000y, found a number\n"},
};

static const struct bad bad_mains[] = {
	{"{\"root\": \"srv\"}",
	 "u:1:10: /root: \"srv\" is not allowed: expected an absolute path of at most 3800 bytes (it is not absolute: begin with \"/\")\n"},
	{"{\"root\": \"/etc\"}",
	 "u:1:10: /root: \"/etc/data/x\" cannot be managed: /etc belongs to the system: nothing at, above or below it is managed\n"},
	{"{\"root\": \"/srv/x/\"}",
	 "u:1:10: /root: \"/srv/x/\" is not allowed: expected an absolute path of at most 3800 bytes (a slash at the end is not allowed)\n"},
	{"{\"thresholds\": {\"filesystem\": {\"warning\": \"91%\"}}}",
	 "u:1:43: /thresholds/filesystem/warning: warning must be less than emergency\n"},
	{"{\"thresholds\": {\"filesystem\": {\"critical\": \"90%\"}}}",
	 "u:1:44: /thresholds/filesystem/critical: emergency must be less than critical\n"},
	{"{\"thresholds\": {\"filesystem\": {\"target\": \"85%\"}}}",
	 "u:1:42: /thresholds/filesystem/target: target must be less than warning\n"},
	{"{\"thresholds\": {\"component\": {\"warning\": \"95%\"}}}",
	 "u:1:42: /thresholds/component/warning: warning must be less than critical\n"},
	{"{\"thresholds\": {\"component\": {\"target\": \"80%\"}}}",
	 "u:1:41: /thresholds/component/target: target must be less than warning\n"},
	{"{\"thresholds\": {\"component\": {\"warning\": \"1GB\"}}}",
	 "u:1:42: /thresholds/component/warning: \"1GB\" is not allowed: expected a share such as \"80%\", from 1% to 100%\n"},
	{"{\"thresholds\": {\"hysteresis\": \"21%\"}}",
	 "u:1:31: /thresholds/hysteresis: \"21%\" is not allowed: expected a share such as \"20%\", from 0% to 20%\n"},
	{"{\"thresholds\": 80}",
	 "u:1:16: /thresholds: expected an object, found a number\n"},
	{"{\"alerts\": {\"cooldown\": \"0s\"}}",
	 "u:1:25: /alerts/cooldown: \"0s\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1y (it is out of range)\n"},
	{"{\"alerts\": {\"hookDeadline\": \"2h\"}}",
	 "u:1:29: /alerts/hookDeadline: \"2h\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 1s to 1h (it is out of range)\n"},
	{"{\"alerts\": {\"hooks\": \"hooks.d\"}}",
	 "u:1:22: /alerts/hooks: \"hooks.d\" is not allowed: expected an absolute path of at most 3800 bytes (it is not absolute: begin with \"/\")\n"},
	{"{\"alerts\": {\"silences\": [\"usge:*\"]}}",
	 "u:1:26: /alerts/silences/0: expected KIND or KIND:GLOB with the kind of an alert, such as \"usage\" or \"usage:cache_*\"; did you mean \"usage\"?\n"},
	{"{\"alerts\": {\"silences\": [\"*:cache_*\", \"*\", \"usage:\"]}}",
	 "u:1:44: /alerts/silences/2: nothing follows \":\": expected a pattern for components and filesystems, such as \"usage:cache_*\"\n"},
	{"{\"alerts\": {\"silences\": [1, \"zzz\"]}}",
	 "u:1:26: /alerts/silences/0: expected a string, found a number\n"},
	{"{\"quietHours\": {\"from\": \"8:00\", \"to\": \"24:00\"}}",
	 "u:1:25: /quietHours/from: \"8:00\" is not allowed: expected a time of day such as \"08:00\"\n"
	 "u:1:39: /quietHours/to: \"24:00\" is not allowed: expected a time of day such as \"08:00\"\n"},
	{"{\"quietHours\": {\"from\": \"08:00\"}}",
	 "u:1:16: /quietHours: expected both \"from\" and \"to\", such as {\"from\": \"22:00\", \"to\": \"06:00\"}\n"},
	{"{\"quietHours\": {\"from\": \"08:61\", \"to\": \"1a:00\"}}",
	 "u:1:25: /quietHours/from: \"08:61\" is not allowed: expected a time of day such as \"08:00\"\n"
	 "u:1:40: /quietHours/to: \"1a:00\" is not allowed: expected a time of day such as \"08:00\"\n"},
	{"{\"ballast\": \"80%\"}",
	 "u:1:13: /ballast: ballast must be less than target\n"},
	{"{\"reconcile\": \"never\"}",
	 "u:1:15: /reconcile: \"never\" is not allowed: expected a duration such as \"48h\", \"90d\" or \"10min\", from 0s to 1y (units are s, min, h, d, w and y)\n"},
	{"{\"socket\": \"/sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\"}",
	 "u:1:12: /socket: \"/sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss...\" is not allowed: expected an absolute path of at most 107 bytes (it is too long)\n"},
	{"{\"group\": \"no-such\"}",
	 "u:1:11: /group: there is no group \"no-such\" on this system: create it (groupadd --system), or name another by name or number\n"},
	{"{\"admins\": [\"no-such\"]}",
	 "u:1:13: /admins/0: there is no user \"no-such\" on this system: create it (useradd --system), or name another by name or number\n"},
	{"{\"web\": {\"port\": 1}}",
	 "u:1:10: /web/port: unknown key: allowed are listen\n"},
	{"{\"coldown\": \"1s\"}",
	 "u:1:2: /coldown: unknown key: allowed are root thresholds alerts quietHours reconcile watch limits ballast ignoreReaders state socket user group admins web\n"},
	{"{\"cooldown\": \"1s\"}",
	 "u:1:2: /cooldown: unknown key; did you mean /alerts/cooldown?\n"},
	{"{\"component\": \"c\"}",
	 "u:1:2: /component: unknown key; did you mean /thresholds/component?\n"},
	{"{\"limits\": {\"share\": \"0%\", \"bytes\": \"0%\", \"filesystem\": \"0.09%\", \"files\": 0, \"errorShare\": \"0%\"}}",
	 "u:1:22: /limits/share: \"0%\" is not allowed: expected a share such as \"20%\", from 0.1% to 100%\n"
	 "u:1:37: /limits/bytes: \"0%\" is not allowed: expected a share such as \"20%\", from 0.1% to 100%\n"
	 "u:1:57: /limits/filesystem: \"0.09%\" is not allowed: expected a share such as \"20%\", from 0.1% to 100%\n"
	 "u:1:75: /limits/files: \"0\" is not allowed: expected a whole number from 1 to 1000000000\n"},
	{"{\"state\": 3, \"user\": {}}",
	 "u:1:11: /state: expected an absolute path of at most 3800 bytes, found a number\n"
	 "u:1:22: /user: expected a user name or number, found an object\n"},
};
/* clang-format on */

static void assert_errors(struct help *h, const char *errors)
{
	assert_int_equal(help_parse(h), -EINVAL);
	assert_string_equal(h->errors.data, errors);
	assert_null(h->config);
}

static void assert_bad(const struct bad *bad, size_t n, bool is_main)
{
	for (size_t i = 0; i < n; i++) {
		struct help h = {0};

		help_add(&h, is_main ? "u" : "p", bad[i].text, is_main);
		assert_errors(&h, bad[i].errors);
		/* nobody listens: the same answer */
		h.env.strategies = help_strategies;
		assert_int_equal(
			config_parse(&h.bundle, &h.env, &h.config, NULL, NULL),
			-EINVAL);
		assert_null(h.config);
		help_fini(&h);
	}
}

static void policies(void **state)
{
	(void)state;
	assert_bad(bad_policies, ARRAY_SIZE(bad_policies), false);
}

static void mains(void **state)
{
	(void)state;
	assert_bad(bad_mains, ARRAY_SIZE(bad_mains), true);
}

static void one_file_a_component(void **state)
{
	struct help h = {0};

	(void)state;
	help_add(&h, "a",
		"{\"component\": \"c\", \"allocation\": \"1G\","
		"\"paths\": {\"data\": [\"/srv/1\"]}}",
		false);
	help_add(&h, "b", "{\"component\": \"d\", \"allocation\": \"1G\"}",
		false);
	help_add(&h, "z", "{\"allocation\": \"1G\",\n\"component\": \"d\"}",
		false);
	assert_int_equal(help_parse(&h), -EINVAL);
	assert_non_null(strstr(h.errors.data,
		"z:2:14: /component: \"d\" has a policy already, in b: one "
		"file a component\n"));
	/* their base directories are the same: told of the later file */
	assert_null(strstr(h.errors.data, "\nb:"));
	help_fini(&h);
}

static void overlaps_across_policies(void **state)
{
	struct help h = {0};

	(void)state;
	help_add(&h, "a",
		"{\"component\": \"a\", \"allocation\": \"1G\",\n"
		"\"paths\": {\"data\": [\"/srv/x/deep/er\"]}}",
		false);
	help_add(&h, "b",
		"{\"component\": \"b\", \"allocation\": \"1G\",\n"
		"\"paths\": {\"logs\": [\"/srv/x\"]}}",
		false);
	/* "-" sorts before "/", and must not come between the two */
	help_add(&h, "c",
		"{\"component\": \"c\", \"allocation\": \"1G\",\n"
		"\"paths\": {\"logs\": [\"/srv/x-y\"]}}",
		false);
	assert_errors(&h,
		"b:2:20: /paths/logs/0: \"/srv/x\" overlaps "
		"\"/srv/x/deep/er\" of component \"a\": each directory belongs "
		"to one type of one component\n");
	help_fini(&h);
}

static void our_own_files(void **state)
{
	struct help h = {0};

	(void)state;
	h.env.state_override = "/srv/feeds/state.json";
	help_add(&h, "/srv/conf/a.json",
		"{\"component\": \"a\", \"allocation\": \"1G\",\n\"paths\": "
		"{\"data\": [\"/srv/feeds\", \"/srv/conf\"]}}",
		false);
	assert_errors(&h,
		"/srv/conf/a.json:2:20: /paths/data/0: \"/srv/feeds\" cannot be "
		"managed: it is above /srv/feeds/state.json, a file of ours\n"
		"/srv/conf/a.json:2:34: /paths/data/1: \"/srv/conf\" cannot be "
		"managed: it is above /srv/conf/a.json, a file of ours\n");
	help_fini(&h);
}

static void bad_options(void **state)
{
	struct help h = {0};

	(void)state;
	h.env.root_override = "x";
	h.env.state_override = "/a/../b";
	h.env.socket_override = "/a//b";
	assert_int_equal(help_parse(&h), -EINVAL);
	assert_non_null(strstr(h.errors.data,
		"--root: it is not absolute: begin with \"/\"\n"
		"--state: \"..\" is not allowed\n"
		"--socket: \"//\" is not allowed: write one slash\n"));
	help_fini(&h);
	h.env.root_override = "/usr/share";
	help_add(&h, "p", "{\"component\": \"a\", \"allocation\": \"1G\"}",
		false);
	assert_errors(&h, "--root: \"/usr/share/data/x\" cannot be managed: "
			  "/usr belongs to the system: nothing at, above or "
			  "below it is managed\n");
	help_fini(&h);
}

/* A file full of errors tells twenty of them; the next file's turn comes. */
static void at_most_twenty_of_a_file(void **state)
{
	buf_auto struct buf text = {0}, expected = {0};
	struct help h = {0};

	(void)state;
	assert_int_equal(buf_puts(&text, "{"), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(buf_printf(&text, "%s\"qqqqqq%02d\": 1",
					 i ? ",\n" : "", i),
			0);
	assert_int_equal(buf_puts(&text, "}"), 0);
	help_add(&h, "p", text.data, false);
	help_add(&h, "q", "{\"component\": 1, \"allocation\": \"1G\"}", false);
	assert_int_equal(help_parse(&h), -EINVAL);
	for (int i = 0; i < 20; i++) {
		char place[32];

		snprintf(place, sizeof(place), "p:%d:%d: /qqqqqq%02d: ", i + 1,
			i ? 1 : 2, i);
		assert_non_null(strstr(h.errors.data, place));
	}
	assert_non_null(strstr(h.errors.data,
		"p:21:1: /qqqqqq20: more problems follow: mend these first\n"));
	assert_null(strstr(h.errors.data, "p:22:"));
	assert_non_null(strstr(h.errors.data, "\nq:1:15: /component: "));
	help_fini(&h);
}

/* Bytes that would write over a terminal, or a second line in a log. */
static void messages_stay_one_line(void **state)
{
	struct help h = {0};

	(void)state;
	help_add(&h, "\033]0;p\n",
		"{\"component\": \"\\u001b[2J\\n\", \"allocation\": "
		"\"1G\\u202e\", \"\\u0007\\n\": 1}",
		false);
	assert_int_equal(help_parse(&h), -EINVAL);
	for (const char *c = h.errors.data; *c; c++)
		assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 &&
						  (unsigned char)*c < 0x7f));
	assert_non_null(strstr(h.errors.data,
		"\\x1b]0;p\\x0a:1:15: /component: \"\\x1b[2J\\x0a\" is"));
	help_fini(&h);
}

static void too_many_directories(void **state)
{
	buf_auto struct buf text = {0};
	struct help h = {0};

	(void)state;
	for (int n = POLICY_MAX_ROOTS - N_STYPES;
		n <= POLICY_MAX_ROOTS - N_STYPES + 1; n++) {
		buf_reset(&text);
		assert_int_equal(
			buf_puts(&text, "{\"component\": \"a\", "
					"\"allocation\": \"1G\", \"paths\": "
					"{\"data\": ["),
			0);
		for (int i = 0; i < n; i++)
			assert_int_equal(buf_printf(&text, "%s\"/srv/d/%d\"",
						 i ? ",\n" : "", i),
				0);
		assert_int_equal(buf_puts(&text, "]}}"), 0);
		help_fini(&h);
		help_add(&h, "p", text.data, false);
		if (n > POLICY_MAX_ROOTS - N_STYPES) {
			assert_errors(&h, "p:251:1: /paths/data/250: over 250 "
					  "directories in one policy\n");
			continue;
		}
		assert_int_equal(help_parse(&h), 0);
		assert_true(h.config->policies[0].n_roots <= POLICY_MAX_ROOTS);
	}
	help_fini(&h);
}

static void too_many_items(void **state)
{
	buf_auto struct buf text = {0};
	struct help h = {0};

	(void)state;
	assert_int_equal(
		buf_puts(&text, "{\"component\": \"a\", \"allocation\": "
				"\"1G\",\n\"protect\": [\"a\""),
		0);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(buf_puts(&text, ",\"a\""), 0);
	assert_int_equal(buf_puts(&text, "]}"), 0);
	help_add(&h, "p", text.data, false);
	assert_errors(&h, "p:2:12: /protect: over 4096 items\n");
	help_fini(&h);
}

/* What is longer matches everything: an error, not a policy that never
 * deletes. */
static void long_patterns(void **state)
{
	char pattern[RULES_PATTERN_MAX + 2];
	struct help h = {0};

	(void)state;
	memset(pattern, 'a', sizeof(pattern));
	for (size_t n = RULES_PATTERN_MAX; n <= RULES_PATTERN_MAX + 1; n++) {
		buf_auto struct buf text = {0};

		assert_int_equal(
			buf_printf(&text,
				"{\"component\": \"a\", \"allocation\": "
				"\"1G\",\n\"protect\": [\"%.*s\"]}",
				(int)n, pattern),
			0);
		help_add(&h, "p", text.data, false);
		assert_int_equal(
			help_parse(&h), n > RULES_PATTERN_MAX ? -EINVAL : 0);
		if (n > RULES_PATTERN_MAX) {
			assert_non_null(strstr(
				h.errors.data, "p:2:13: /protect/0: \"aaa"));
			assert_non_null(strstr(h.errors.data,
				"(it is longer than 1023 bytes)\n"));
		}
		help_fini(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies),
		cmocka_unit_test(mains),
		cmocka_unit_test(one_file_a_component),
		cmocka_unit_test(overlaps_across_policies),
		cmocka_unit_test(our_own_files),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(at_most_twenty_of_a_file),
		cmocka_unit_test(messages_stay_one_line),
		cmocka_unit_test(too_many_directories),
		cmocka_unit_test(too_many_items),
		cmocka_unit_test(long_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
