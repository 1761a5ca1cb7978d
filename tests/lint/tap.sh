# shellcheck shell=sh
# TAP for the lints.  A check is a command that prints what is wrong, one finding a line.
# The lints run from the top of the source directory, which may be another than the build's.

cd "${srcdir:-$(dirname "$0")/../..}" || exit 1

tap_count=0

# check NAME COMMAND...: one test, passed when the command prints nothing and succeeds.
check() {
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if tap_found=$("$@" 2>&1) && [ -z "$tap_found" ]; then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		printf '%s\n' "${tap_found:-$1 failed}" | sed 's/^/# /'
	fi
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

finish() {
	echo "1..$tap_count"
}

# The project's own C files below the named folders.
c_files() {
	for tap_dir; do
		[ ! -d "$tap_dir" ] || find "$tap_dir" -name '*.[ch]' | sort
	done
}

# Without comments and without what strings hold: "file:line:code" for each line.
code_of() {
	awk -f tests/lint/code.awk "$@"
}
