# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What tests/run, tests/bench/run and packaging/quickstart have in common:
# packages, builds, and the counting of tests. Sourced, in the top directory.

BUILD_PACKAGES=(autoconf automake gcc libc6-dev make pkg-config xz-utils
	libevent-dev libbsd-dev libjson-c-dev libcap-ng-dev)
TEST_PACKAGES=(clang clang-tidy cppcheck valgrind libclang-rt-14-dev llvm
	libcmocka-dev clang-format
	python3 python3-pytest python3-pytest-xdist python3-jsonschema curl zsh
	procps mount util-linux e2fsprogs xfsprogs btrfs-progs libcap2-bin
	mandoc shellcheck git rsync sqlite3 logrotate stress-ng strace attr
	systemd-container mmdebstrap zstd bindfs)

JOBS=$(nproc)
export LC_ALL=C.UTF-8
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

# In a chroot the top may be no mount point, and then has no propagation.
if mountpoint -q / 2>/dev/null; then
	PROPAGATION=private
else
	PROPAGATION=unchanged
fi
# A namespace in which mounts and processes end with the command.
NAMESPACE=(unshare --mount --pid --fork --mount-proc --kill-child
	--propagation "$PROPAGATION")

# open_root COMMAND...: a bare chroot may have a top that only root may enter,
# where no other user can reach anything. Runs the command below a top of mode
# 755 then, with everything bound into it, in a mount namespace of its own.
open_root() {
	if ! is_root || [ -n "${ROOT_OPENED:-}" ] ||
		[ $((0$(stat -c %a /) & 5)) = 5 ]
	then
		return 0
	fi
	# shellcheck disable=SC2016
	ROOT_OPENED=1 exec unshare --mount --propagation $PROPAGATION bash -eu -c '
		top=/mnt
		mount -t tmpfs -o mode=755 none "$top"
		for entry in /*; do
			if [ -L "$entry" ]; then
				cp -P "$entry" "$top$entry"
			elif [ "$entry" = "$top" ]; then
				mkdir "$top$entry"
			elif [ -d "$entry" ]; then
				mkdir "$top$entry"
				mount --rbind "$entry" "$top$entry"
			fi
		done
		exec chroot "$top" bash -c "cd \"\$0\" && exec \"\$@\"" "$@"
	' bash "$PWD" "$@"
}

# packages_missing NAME...: those of them that are not installed.
packages_missing() {
	command -v dpkg-query >/dev/null || return 0
	local name
	for name; do
		dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null |
			grep -qx installed || printf '%s\n' "$name"
	done
}

# packages_need NAME...: installs what is missing. Fails if that cannot be.
packages_need() {
	local missing log
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	is_root || { say "not root, cannot install: ${missing[*]}" >&2; return 1; }
	say "installing: ${missing[*]}"
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get update -q &&
		apt-get install -y -q --no-install-recommends "${missing[@]}"
	} </dev/null >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	}
	rm -f "$log"
}

# autoreconf_once: makes configure if it is older than what it is made from.
autoreconf_once() {
	if [ ! -e configure ] || [ ! -e Makefile.in ] ||
		[ -n "$(find configure.ac Makefile.am ./*/local.mk agent/*/local.mk \
			tests/*/*.mk -newer configure -print -quit 2>/dev/null)" ]
	then
		mkdir -p m4
		autoreconf -fi
	fi
}

# build_in DIR TARGET CONFIGURE-ARGUMENT...: an out-of-tree build.
build_in() {
	local dir=$1 target=$2
	shift 2
	mkdir -p "$dir" || return
	(
		cd "$dir" || exit
		if [ ! -e config.status ] || [ ../configure -nt config.status ] ||
			[ "$*" != "$(cat .configured 2>/dev/null)" ]
		then
			../configure -q "$@" && printf '%s' "$*" >.configured
		fi && make -s -k -j"$JOBS" "$target"
	)
}

# Counting. Each test has a group and a name; a line is printed for what
# failed at once, for what was skipped at the end.
N_PASSED=0 N_FAILED=0 N_SKIPPED=0
SKIPS=() FAILS=()

count_pass() {
	N_PASSED=$((N_PASSED + 1))
	[ -z "${V:-}" ] || say "  ok    $*"
}
count_fail() {
	N_FAILED=$((N_FAILED + 1))
	FAILS+=("$*")
	say "  FAIL  $*"
}
count_skip() { # NAME REASON
	N_SKIPPED=$((N_SKIPPED + 1))
	SKIPS+=("$1: $2")
	[ -z "${V:-}" ] || say "  skip  $1: $2"
}

# count_tap NAME LOG STATUS: counts a log with TAP lines line by line, any
# other log as one test by its exit status (77: skipped).
count_tap() {
	local name=$1 log=$2 status=$3 line failed=$N_FAILED seen=0
	local at='^(not )?ok +[0-9]* *-? *([^#]*)(# *[Ss][Kk][Ii][Pp]\S* *(.*))?'
	while IFS= read -r line; do
		[[ $line =~ $at ]] || continue
		seen=1
		if [ -n "${BASH_REMATCH[3]}" ]; then
			count_skip "$name: ${BASH_REMATCH[2]}" \
				"${BASH_REMATCH[4]:-no reason given}"
		elif [ -n "${BASH_REMATCH[1]}" ]; then
			count_fail "$name: ${BASH_REMATCH[2]}"
		else
			count_pass "$name: ${BASH_REMATCH[2]}"
		fi
	done < <(grep -aE '^(not )?ok\b' "$log")
	if [ "$status" = 77 ] && [ $seen = 0 ]; then
		count_skip "$name" "$(tail -n 1 "$log")"
	elif [ "$status" != 0 ] && [ "$failed" = $N_FAILED ]; then
		count_fail "$name (exit status $status)"
	elif [ $seen = 0 ]; then
		count_pass "$name"
	fi
	[ "$failed" = $N_FAILED ] || show_log "$log"
}

show_log() {
	tail -n "${LOG_LINES:-40}" "$1" | tr -cd '\11\12\40-\176\200-\377' |
		sed 's/^/        | /'
}

# test_log NAME: where the output of a test goes.
test_log() { printf '%s' "$LOGS/${1//[\/ ]/.}.log"; }
run_logged() { # NAME SECONDS COMMAND...
	local log seconds=$2 status
	log=$(test_log "$1")
	shift 2
	# shellcheck disable=SC2016
	[ "$(type -t "$1")" != function ] || set -- bash -c '"$0" "$@"' "$@"
	timeout --kill-after=10 "$seconds" "$@" </dev/null >"$log" 2>&1
	status=$?
	[ $status != 124 ] || say "not ok - took over $seconds s" >>"$log"
	return $status
}

# test_step NAME SECONDS COMMAND...: one test that is a command.
test_step() {
	local status
	run_logged "$@"
	status=$?
	count_tap "$1" "$(test_log "$1")" $status
	return $status
}

# test_start NAME SECONDS COMMAND...: the same beside others, one for each
# processor, or as many as BESIDE says. test_gather waits for them and counts
# them in order.
PENDING=()
PENDING_PIDS=()
test_start() {
	while [ ${#PENDING_PIDS[@]} -ge "${BESIDE:-$JOBS}" ]; do
		wait "${PENDING_PIDS[0]}"
		PENDING_PIDS=("${PENDING_PIDS[@]:1}")
	done
	{
		run_logged "$@"
		echo $? >"$(test_log "$1").status"
	} &
	PENDING_PIDS+=($!)
	PENDING+=("$1")
}
test_gather() {
	local name log
	# Not for whatever else is under way.
	[ ${#PENDING_PIDS[@]} = 0 ] || wait "${PENDING_PIDS[@]}"
	PENDING_PIDS=()
	for name in "${PENDING[@]}"; do
		log=$(test_log "$name")
		count_tap "$name" "$log" "$(cat "$log.status")"
	done
	PENDING=()
}
