#!/bin/sh
# The layers of doc/DESIGN: a file includes headers of its own layer or of one to the left. Foreign libraries, threads,
# clocks and allocation stay in the files that own them.

# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

layers='lib/base lib/conf lib/rules lib/io lib/store lib/engine policyd milter ctl ctl/transfer ctl/doctor'

# A header belongs to the layer of the .c file of its name. These have none:
headers_without_c='
attr.h    lib/base
hash.h    lib/base
ask.h     lib/rules
bound.h   lib/rules
'

# Made by the build, in the folder that uses them.
generated="config.h scripts.h page_html.h"

# Foreign header, and the files that may include it; the first row that fits holds.
owners='
sqlite3.h        lib/store/*sqlite*
hiredis/*        lib/store/*redis*
libconfig.h      lib/conf/conf.c lib/conf/conf_groups.c lib/conf/conf_pools.c lib/conf/conf_twice.c lib/conf/conf_members.c
event2/*         lib/io/*
idn2.h           lib/conf/normal.c
unicase.h        lib/conf/normal.c
unistr.h         lib/conf/normal.c
libpsl.h         lib/rules/identity*.c
sodium.h         lib/rules/key.c lib/base/*
sodium/*         lib/rules/key.c lib/base/*
pcre2.h          lib/conf/list*
uthash.h         include/hash.h
utlist.h         *
libmilter/*      milter/*
malloc.h         lib/base/mem.c
jansson.h        lib/engine/* ctl/*
pthread.h        milter/server.c milter/sessions.* lib/io/loop.c lib/io/work.c lib/store/*sqlite* lib/conf/conf.c lib/base/log_lines.c lib/base/thread.c lib/base/stats.c lib/engine/asker.c lib/engine/clerk.c
stdatomic.h      lib/io/loop.c lib/store/*sqlite* lib/conf/conf.c lib/base/log.c lib/base/stats.c milter/callbacks.c'

# C, POSIX and Linux; what is not here must have an owner above.
system_headers='
assert.h ctype.h dirent.h endian.h errno.h fcntl.h float.h fnmatch.h getopt.h glob.h grp.h inttypes.h iso646.h libgen.h
langinfo.h limits.h locale.h math.h netdb.h poll.h pwd.h signal.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
stdnoreturn.h string.h strings.h sysexits.h syslog.h termios.h time.h unistd.h wchar.h arpa/* linux/* net/* netinet/* sys/*'

files=$(c_files include lib policyd milter ctl)

rank_of() {
	rank=0
	for layer in $layers; do
		rank=$((rank + 1))
		[ "$layer" != "$1" ] || echo "$rank"
	done
}

layer_of_header() {
	echo "$headers_without_c" | awk -v name="$1" '$1 == name { print $2 }'
	for layer in $layers; do
		[ ! -e "$layer/${1%.h}.c" ] || echo "$layer"
	done
}

layer_of_file() {
	case $1 in
	include/*) layer_of_header "${1##*/}" ;;
	*) dirname "$1" ;;
	esac
}

# "file:line header" of each #include of that kind: own (in quotes) or system (in angle brackets).
includes() {
	# shellcheck disable=SC2086
	case $1 in
	own) code_of $files | sed -n 's/^\([^:]*:[0-9]*\):[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1 \2/p' ;;
	system) code_of $files | sed -n 's/^\([^:]*:[0-9]*\):[ \t]*#[ \t]*include[ \t]*<\([^>]*\)>.*/\1 \2/p' ;;
	esac
}

every_folder_is_a_layer() {
	for file in $files; do
		[ "${file#include/}" = "$file" ] || continue
		[ -n "$(rank_of "$(dirname "$file")")" ] || echo "$file: its folder is no layer"
	done
}

every_header_has_one_layer() {
	for file in include/*.h; do
		[ "$(layer_of_header "${file##*/}" | wc -l)" -eq 1 ] ||
			echo "$file: no .c file of that name in one layer; say which in tests/lint/layers.sh"
	done
}

no_arrow_to_the_right() {
	includes own | while read -r place header; do
		file=${place%:*}
		if [ "${file#include/}" = "$file" ] && [ -e "$(dirname "$file")/$header" ]; then
			continue # a private header of the same folder
		fi
		case $file in
		ctl/*/*) [ ! -e "ctl/$header" ] || continue ;; # parts of weirctl know what its commands share
		esac
		# shellcheck disable=SC2086
		fits "$header" $generated && continue
		if [ ! -e "include/$header" ]; then
			echo "$place: $header is neither in include/ nor in its own folder"
			continue
		fi
		from=$(rank_of "$(layer_of_file "$file")")
		to=$(rank_of "$(layer_of_header "$header")")
		[ "${to:-99}" -le "${from:-0}" ] ||
			echo "$place: $(layer_of_file "$file") must not include $header of $(layer_of_header "$header")"
	done
}

# fits TEXT PATTERN...
fits() {
	text=$1
	shift
	for pattern; do
		# shellcheck disable=SC2254
		case $text in
		$pattern) return 0 ;;
		esac
	done
	return 1
}

foreign_headers_have_owners() {
	set -f # patterns are for fits alone
	includes system | while read -r place header; do
		# shellcheck disable=SC2086
		fits "$header" $system_headers && continue
		echo "$owners" | sed 1d | {
			while read -r pattern allowed; do
				fits "$header" "$pattern" || continue
				# shellcheck disable=SC2086
				fits "${place%:*}" $allowed || echo "$place: <$header> belongs to $allowed only"
				exit 0
			done
			echo "$place: <$header> has no owner in tests/lint/layers.sh"
		}
	done
	set +f
}

headers_name_no_library() {
	includes system | grep '^include/' | grep -v '^include/hash\.h:.* uthash\.h$' |
		grep -v -E ' (stdbool|stddef|stdint|stdarg|stdio|string|inttypes|limits)\.h$' | sed 's/ / includes /'
}

# only_in PATTERN FILE...: code that fits the pattern in other files.
only_in() {
	pattern=$1
	shift
	# shellcheck disable=SC2086
	code_of $files | grep -E "^[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?($pattern)" | while IFS= read -r line; do
		fits "${line%%:*}" "$@" || echo "$line"
	done
}

check 'every folder is a layer' every_folder_is_a_layer
check 'every header belongs to one layer' every_header_has_one_layer
check 'no include points to the right' no_arrow_to_the_right
check 'foreign headers, threads and atomics stay with their owners' foreign_headers_have_owners
check 'headers of include/ name no foreign library' headers_name_no_library
check 'clocks are read in clock.c only' \
	only_in '(clock_gettime|gettimeofday|time|timespec_get)[ 	]*\(' lib/base/clock.c
check 'memory is taken in mem.c only' \
	only_in '(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|v?asprintf)[ 	]*\(' lib/base/mem.c
check 'atomics stay with their owners' \
	only_in '__atomic_|__sync_|_Atomic[^A-Za-z0-9_]' lib/io/loop.c 'lib/store/*sqlite*' lib/conf/conf.c lib/rules/orders.c lib/base/log.c \
	lib/base/stats.c lib/engine/asker.c lib/engine/clerk.c milter/callbacks.c
finish
