# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the journal's message catalog from agent/base/messages.tbl:
#	awk -f packaging/catalog.awk agent/base/messages.tbl

{ table = table $0 "\n" }

function die(why) {
	print "messages.tbl: " why ": " substr(table, 1, 40) >"/dev/stderr"
	failed = 1
	exit 1
}

# The next string literal, its escapes undone.
function take_string(  s) {
	if (!match(table, /^[ \t\n,]*"(\\.|[^"\\])*"/))
		die("no string")
	s = substr(table, 1, RLENGTH)
	table = substr(table, RLENGTH + 1)
	sub(/^[ \t\n,]*"/, "", s)
	sub(/"$/, "", s)
	gsub(/\\"/, "\"", s)
	if (s ~ /\\/)
		die("an escape that is not known here")
	return s
}

function print_wrapped(text,   words, n, i, line) {
	n = split(text, words, " ")
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + 1 + length(words[i]) > 76) {
			print line
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
	}
	print line
}

END {
	if (failed)
		exit 1
	print "# Made from agent/base/messages.tbl."
	while (match(table, /MESSAGE\([A-Z_]+, LOG_[A-Z]+,/)) {
		table = substr(table, RSTART + RLENGTH)
		print "\n-- " take_string()
		print "Subject: " take_string()
		print "Defined-By: ullage"
		print "Documentation: man:ullaged(8)\n"
		print_wrapped(take_string())
	}
}
