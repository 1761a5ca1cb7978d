#!/bin/sh
# Shell scripts through shellcheck, scripts for Redis through luac.

# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

is_shell_script() {
	case $1 in
	*.sh | *.bash-completion) return 0 ;;
	*.[ch] | *.pl | *.lua | *.awk) return 1 ;;
	esac
	head -n 1 "$1" | tr -d '\000' | grep -q -E '^#! */(usr/)?bin/(env +)?(ba)?sh'
}

# The project's own; configure and its like are made by others.
shell_scripts() {
	for place in quickstart run-tests .ci etc lib tests bench fuzz debian; do
		[ ! -e "$place" ] || find "$place" -type f -size -200k
	done | sort | while IFS= read -r file; do
		is_shell_script "$file" && echo "$file"
	done
}

find_luac() {
	for name in luac5.1 luac luac5.3 luac5.4; do
		command -v "$name" && return
	done
}

if command -v shellcheck >/dev/null; then
	for file in $(shell_scripts); do
		check "$file" shellcheck -x -f gcc "$file"
	done
else
	skip 'shell scripts' 'needs shellcheck'
fi

luac=$(find_luac)
for file in lib/redis/scripts/*.lua; do
	[ -e "$file" ] || continue
	if [ -n "$luac" ]; then
		check "$file" "$luac" -p "$file"
	else
		skip "$file" 'needs luac'
	fi
done
finish
