#!/bin/sh
# Calls that are never used, and notes that must not stay.

# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

files=$(c_files include lib policyd milter ctl tests fuzz bench)

banned_calls() {
	# shellcheck disable=SC2086
	code_of $files | grep -E \
		'^[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|alloca|_?setjmp|longjmp|system)[ 	]*\('
	return 0
}

banned_notes() {
	# shellcheck disable=SC2086
	grep -n -w 'XXX' $files /dev/null
	# shellcheck disable=SC2086
	grep -n -w 'TODO' $files /dev/null | grep -v -E 'TODO ?\(?#[0-9]+'
	return 0
}

check 'no banned call' banned_calls
check 'no XXX, and TODO only with the number of an issue' banned_notes
finish
