#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemd's varlinkctl (Debian 13) as a user of the control socket.
#
# usage: varlinkctl.sh fetch DIR          unpacks it and its libraries into DIR
#        varlinkctl.sh run DIR ARGUMENT...  runs it
#        varlinkctl.sh check DIR SOCKET   what it must be able to do
#
# Exit status 77: it could not be fetched.
set -eu -o pipefail

dir=${2:?}
packages="systemd libsystemd-shared libc6 libssl3t64 libacl1 libblkid1 libcap2
	libcrypt1 libmount1 libpam0g libseccomp2 libselinux1 libaudit1
	libpcre2-8-0 libcap-ng0 zlib1g libzstd1"

# apt with state of its own: the machine's sources and cache stay as they are.
apt_aside() {
	apt-get -qq -o Dir::State="$dir/apt" \
		-o Dir::State::status="$dir/apt/status" \
		-o Dir::Cache="$dir/apt/cache" \
		-o Dir::Etc::sourcelist="$dir/apt/debian13.sources" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Sandbox::User=root "$@"
}

uri() {
	sed -n 's/^URIs: *\(http[^ ]*debian\)\/* *$/\1/p
		s/^deb \([^ ]*debian\)\/* .*/\1/p' /etc/apt/sources.list \
		/etc/apt/sources.list.d/* 2>/dev/null | head -1 || :
}

fetch() {
	[ ! -x "$dir/varlinkctl" ] || return 0
	mkdir -p "$dir"/apt/lists/partial "$dir"/apt/cache/archives/partial \
		"$dir/root"
	: >"$dir/apt/status"
	local from
	from=$(uri)
	printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\n%s\n' \
		"${from:-http://deb.debian.org/debian}" \
		"Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" \
		>"$dir/apt/debian13.sources"
	# shellcheck disable=SC2086
	(apt_aside update && cd "$dir/apt/cache" &&
		apt_aside download $packages) || return 77
	local deb
	for deb in "$dir"/apt/cache/*.deb; do
		dpkg-deb -x "$deb" "$dir/root"
	done
	rm -rf "$dir/apt"
	# Debian 13's programs with Debian 13's loader and libraries.
	cat >"$dir/varlinkctl" <<-'END'
		#!/bin/sh
		root=$(dirname "$0")/root/usr
		lib=$root/lib/$(uname -m)-linux-gnu
		exec "$lib"/ld-linux-*.so.* --library-path "$lib:$lib/systemd" \
			"$root/bin/varlinkctl" --no-pager "$@"
	END
	chmod +x "$dir/varlinkctl"
}

fail() {
	echo "varlinkctl: $*" >&2
	exit 1
}

# Output must match a pattern; a command that should fail is led by "!".
expect() { # PATTERN ARGUMENT...
	local pattern=$1 output wants=0 status=0
	shift
	[ "$1" != "!" ] || { wants=1 && shift; }
	output=$(timeout 20 "$dir/varlinkctl" "$@" 2>&1) || status=1
	[ "$status" = "$wants" ] || fail "$*: status $status: $output"
	grep -q -- "$pattern" <<<"$output" || fail "$*: $output"
	echo "varlinkctl $1: $pattern"
}

check() { # SOCKET
	local agent=unix:$1 interface=io.ullage.Agent
	expect 'Interfaces: *io.ullage.Agent' info "$agent"
	expect "^$interface\$" list-interfaces "$agent"
	expect "^$interface.GetStatus\$" list-methods "$agent" $interface
	expect 'method Cleanup' introspect "$agent" $interface
	expect 'method GetInfo' introspect "$agent" org.varlink.service
	"$dir/varlinkctl" introspect "$agent" $interface >"$dir/idl"
	expect . validate-idl "$dir/idl"
	expect '"components"' call "$agent" $interface.GetStatus '{}'
	expect '"adaptive\|policy"\|"properties"\|"schema"' \
		call "$agent" $interface.GetSchema '{"kind":"policy"}'
	expect 'NotFound' ! call "$agent" $interface.GetStatus \
		'{"component":"there-is-none"}'
	expect 'MethodNotFound\|not known\|not found' ! \
		call "$agent" $interface.Nothing '{}'
	expect 'ExpectedMore\|more' ! call "$agent" $interface.Subscribe '{}'
}

case ${1:-} in
fetch) fetch ;;
run)
	fetch || exit 77
	shift 2
	exec "$dir/varlinkctl" "$@"
	;;
check)
	fetch || exit 77
	check "${3:?}"
	;;
*)
	sed -n '4,11s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
