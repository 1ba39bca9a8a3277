# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Groups of tests/run that look at the same code with other eyes: two that
# read it, two that watch it run. Sourced; docs/testing.md says more.

# Findings that are none, each with its reason, stand in tests/lint.tbl. A
# line there without its finding fails too, so that the table stays true.
lint_findings() { # TOOL LOG; a line FILE:LINE: ... [CHECK] is a finding
	awk -v tool="$1" '
		FNR == NR {
			if ($1 == tool) { n[$2 " " $3]++; listed[$2 " " $3]++ }
			next
		}
		match($0, /\[[a-zA-Z0-9.-]+\]$/) {
			check = substr($0, RSTART + 1, RLENGTH - 2)
			file = $0
			sub(/:.*/, "", file)
			if (seen[$0]++)
				next
			if (n[file " " check]-- <= 0) { print; bad++ }
		}
		END {
			for (key in listed)
				if (n[key] > 0) {
					print "tests/lint.tbl: not found any more: " key
					bad++
				}
			exit bad > 0
		}' tests/lint.tbl "$2"
}

c_sources() { find agent ctl strategies -name '*.c' | sort; }

# One file, unless just these bytes have been looked at before. A third of the
# analyser's usual budget a function finds what all of it does, in a third of
# the time; TIDY_NODES=225000 gives it all.
tidy_one() { # FILE
	local flags=(-std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iagent -I.
		'-DULLAGE_SYSCONFDIR=""' '-DULLAGE_DATADIR=""'
		'-DULLAGE_STATEDIR=""' '-DULLAGE_LIBEXECDIR=""'
		'-DULLAGE_RUNDIR=""' '-DPACKAGE_VERSION=""') known
	local nodes=(-Xclang -analyzer-config
		-Xclang "max-nodes=${TIDY_NODES:-75000}")
	known=build-tidy/$({ clang -E "${flags[@]}" "$1" && cat .clang-tidy &&
		echo "${nodes[@]}"; } | sha256sum | cut -c1-32) || return
	if [ ! -e "$known" ]; then
		clang-tidy --quiet "$1" -- "${flags[@]}" "${nodes[@]}" \
			>"$known.new" 2>"$known.err" || {
			cat "$known.new" "$known.err"
			return 1
		}
		mv "$known.new" "$known"
		rm -f "$known.err"
	fi
	sed -n "s|^$PWD/||; /: \(warning\|error\): /p" "$known"
}
tidy_all() {
	local status=0
	mkdir -p build-tidy
	# shellcheck disable=SC2016
	c_sources | xargs -P "$JOBS" -n 1 bash -c 'tidy_one "$0"' \
		>"$LOGS/tidy.out" 2>&1 || status=1
	[ $status = 0 ] || cat "$LOGS/tidy.out"
	lint_findings tidy "$LOGS/tidy.out" && return $status
}
# What does not wait, beside what does, and without being in its way: then
# group_tidy finds it known.
tidy_ahead() {
	command -v clang-tidy >/dev/null || return
	export -f tidy_all tidy_one c_sources lint_findings
	nice -n 19 bash -c tidy_all </dev/null >/dev/null 2>&1 &
	TIDY=$!
}
group_tidy() {
	[ -z "${TIDY:-}" ] || wait "$TIDY"
	if ! command -v clang-tidy >/dev/null; then
		count_skip tidy "clang-tidy is not installed"
		return
	fi
	export -f tidy_all tidy_one c_sources lint_findings
	test_step "tidy: clang-tidy" 900 tidy_all
}

# It does not know the cleanup attribute, so leaks are left to others; what it
# calls not reentrant is called by one thread.
cppcheck_all() {
	cppcheck --enable=warning,performance,portability --std=c11 \
		-j "$JOBS" --quiet --library=posix --library=gnu \
		--suppress=memleak --suppress=resourceLeak \
		--suppress=readdirCalled --suppress=getpwuidCalled \
		--suppress=getpwnamCalled --suppress=getpwentCalled \
		--suppress=getgrnamCalled \
		--include=/usr/include/"$(gcc -print-multiarch)"/sys/queue.h \
		--include=/usr/include/bsd/sys/tree.h -Iagent -I. -D__linux__ \
		--template='{file}:{line}: {severity}: {message} [{id}]' \
		agent ctl strategies >"$LOGS/cppcheck.out" 2>&1 || {
		cat "$LOGS/cppcheck.out"
		return 1
	}
	lint_findings cppcheck "$LOGS/cppcheck.out"
}
group_cppcheck() {
	if ! command -v cppcheck >/dev/null; then
		count_skip cppcheck "cppcheck is not installed"
		return
	fi
	export -f cppcheck_all lint_findings
	test_step "cppcheck" 300 cppcheck_all
}

# The tests with threads in them, and the whole agent for a while.
TSAN_TESTS=(test_look test_feed test_measure test_storm)
TSAN_SYSTEM=(test_moves.py::test_exchange_of_directories
	test_moves.py::test_many_moves_of_one_directory
	"test_busy.py::test_in_use[tmpfs]"
	test_busy.py::test_in_use_in_an_emergency
	test_reload.py::test_reload_adds_changes_and_removes
	"test_state.py::test_killed_in_mid_cleanup_loses_nothing[0.03]")
build_tsan() {
	build_once build-tsan all "TSan" --enable-werror \
		--enable-sanitizers=thread CFLAGS="-O1 -g"
}
group_tsan() {
	local name
	build_tsan || return
	for name in "${TSAN_TESTS[@]}"; do
		check_program build-tsan "tsan/$name" "tests/unit/$name" || continue
		unit_one build-tsan tsan "tests/unit/$name"
	done
	test_gather
	pytest_in build-tsan tsan-system 300 "not by_name and not slow" \
		"${TSAN_SYSTEM[@]/#/tests/system/}"
}
check_program() { # DIR NAME PROGRAM: builds it
	make -s -C "$1" -j"$JOBS" "$3" >"$LOGS/check-program.log" 2>&1 && return
	count_fail "$2: builds"
	show_log "$LOGS/check-program.log"
	return 1
}

# Those that do not need openat2, which valgrind 3.19 does not know, and are
# done in ten seconds.
VALGRIND_TESTS=(test_base test_text test_oom test_model test_rules test_plan
	test_bundle test_policy test_policy_errors test_policy_oom
	test_scan_json test_trigger test_strategies test_select
	test_decide_oom test_alerts test_dirty test_history test_deliver
	test_state test_varlink test_control test_index test_log)
valgrind_one() { # PROGRAM
	CMOCKA_MESSAGE_OUTPUT=TAP srcdir=$PWD top_srcdir=$PWD \
		top_builddir=$PWD/build valgrind -q --error-exitcode=99 \
		--leak-check=full --errors-for-leak-kinds=definite,indirect \
		"build/tests/unit/$1"
}
group_valgrind() {
	local name
	if ! command -v valgrind >/dev/null; then
		count_skip valgrind "valgrind is not installed"
		return
	fi
	build_gcc || return
	export -f valgrind_one
	for name in "${VALGRIND_TESTS[@]}"; do
		check_program build "valgrind/$name" "tests/unit/$name" || continue
		test_start "valgrind/$name" 200 valgrind_one "$name"
	done
	test_gather
}

# What the tests reach of the code that deletes, speaks and saves. clang's
# counters lie in a mapped file, so a reaper that may write nothing, or is
# killed, counts too. Only by name: it takes minutes.
COVERAGE_TESTS=(unit/test_act_edges unit/test_act_roots unit/test_act_oom
	unit/test_parse_edges unit/test_proto_oom unit/test_base unit/test_oom
	unit/test_model unit/test_plan unit/test_varlink unit/test_state
	unit/test_beneath unit/test_inuse unit/test_confine
	unit/test_quarantine unit/test_guard unit/test_judge unit/test_reap
	unit/test_reaper unit/test_hook unit/test_extent unit/test_gain
	unit/test_trash unit/test_trash_edges
	unit/test_trashing unit/test_recovering unit/test_ballast
	unit/test_ballast_when unit/test_ballast_keep hostile/kill
	hostile/kill_trash hostile/calls)
build_coverage() {
	build_once build-coverage all "coverage" CC=clang \
		CFLAGS="-O1 -g -fprofile-instr-generate -fcoverage-mapping \
-mllvm -runtime-counter-relocation" LDFLAGS=-fprofile-instr-generate
}
group_coverage() {
	local name profiles=$LOGS/profiles objects=()
	if ! command -v clang >/dev/null || ! command -v llvm-cov >/dev/null
	then
		count_skip coverage "clang and llvm are not both installed"
		return
	fi
	build_coverage || return
	# Hooks run as nobody, and count too.
	mkdir -p "$profiles" && chmod 1777 "$profiles" || return
	for name in "${COVERAGE_TESTS[@]}"; do
		[ -e "tests/$name.c" ] || continue
		check_program build-coverage "coverage/$name" "tests/$name" ||
			continue
		objects+=("build-coverage/tests/$name")
		LLVM_PROFILE_FILE=$profiles/%p-%m%c.profraw unit_one \
			build-coverage coverage "tests/$name"
	done
	test_gather
	test_step "coverage: profile" 120 llvm-profdata merge \
		-o "$LOGS/coverage.profdata" "$profiles" || return
	test_step "coverage: figures" 120 tests/coverage \
		"$LOGS/coverage.profdata" "${objects[@]}"
	cat "$(test_log "coverage: figures")"
}
