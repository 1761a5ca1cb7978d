#!/bin/sh
# The layers of doc/DESIGN: a file includes headers of its own layer or of one below. Foreign libraries, threads,
# clocks and allocation stay in the files that own them.

# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

# From the lowest up; layers of one line do not know each other.
layers='
lib/base
lib/conf
lib/rules
lib/io
lib/store
lib/sqlite lib/redis
lib/books
lib/engine
policyd milter ctl
ctl/transfer ctl/doctor
'

# Made by the build, in the folder that uses them.
generated='config.h scripts.h page_html.h'

# Foreign header, and the files that may include it; the first row that fits holds.
owners='
sqlite3.h        lib/sqlite/*
hiredis/*        lib/redis/*
libconfig.h      lib/conf/conf.c lib/conf/conf_read.c lib/conf/conf_groups.c lib/conf/conf_pools.c lib/conf/conf_twice.c lib/conf/conf_members.c
event2/*         lib/io/*
idn2.h           lib/conf/normal.c
unicase.h        lib/conf/normal.c
unistr.h         lib/conf/normal.c
libpsl.h         lib/rules/identity*.c
sodium.h         lib/rules/key.c lib/base/*
sodium/*         lib/rules/key.c lib/base/*
pcre2.h          lib/conf/list*
uthash.h         include/base/hash.h
utlist.h         *
libmilter/*      milter/*
malloc.h         lib/base/mem.c
jansson.h        lib/books/* ctl/*
pthread.h        milter/server.c milter/sessions.* lib/io/loop.c lib/io/work.c lib/sqlite/* lib/conf/conf.c lib/base/log_lines.c lib/base/thread.c lib/base/stats.c lib/engine/ask_queue.c lib/books/recorder.c
stdatomic.h      lib/io/loop.c lib/sqlite/* lib/conf/conf.c lib/base/log.c lib/base/stats.c milter/callbacks.c'

# C, POSIX and Linux; what is not here must have an owner above.
system_headers='
assert.h ctype.h dirent.h endian.h errno.h fcntl.h float.h fnmatch.h getopt.h glob.h grp.h inttypes.h iso646.h libgen.h
langinfo.h limits.h locale.h math.h netdb.h poll.h pwd.h signal.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
stdnoreturn.h string.h strings.h sysexits.h syslog.h termios.h time.h unistd.h wchar.h arpa/* linux/* net/* netinet/* sys/*'

files=$(c_files include lib policyd milter ctl)

# "file:line header" of each #include of that kind: own (in quotes) or system (in angle brackets).
includes() {
	# shellcheck disable=SC2086
	case $1 in
	own) code_of $files | sed -n 's/^\([^:]*:[0-9]*\):[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1 \2/p' ;;
	system) code_of $files | sed -n 's/^\([^:]*:[0-9]*\):[ \t]*#[ \t]*include[ \t]*<\([^>]*\)>.*/\1 \2/p' ;;
	esac
}

# layer_rules CHECK: reads "file:line header" of each include; "include/rules/plan.h" is of lib/rules.
layer_rules() {
	{
		echo "$layers" | sed '/^$/d; s/^/layers /'
		# shellcheck disable=SC2086
		printf 'file %s\n' $files
		# shellcheck disable=SC2086
		printf 'made %s\n' $generated
		includes own | sed 's/^/include /'
	} | awk -v check="$1" '
		function layer_of(file) {
			sub(/^include\//, "lib/", file)
			sub(/\/[^\/]*$/, "", file)
			return file
		}
		$1 == "layers" { ranks++; for (i = 2; i <= NF; i++) rank[$i] = ranks }
		$1 == "file" { files[$2] }
		$1 == "made" { made[$2] }
		$1 == "include" {
			file = $2; sub(/:.*/, "", file)
			folder = file; sub(/\/[^\/]*$/, "", folder)
			if ((folder "/" $3) in files || $3 in made)
				next # a private header of the same folder
			if (folder ~ /^ctl\// && ("ctl/" $3) in files)
				next # parts of weirctl know what its commands share
			header = "include/" $3; from = layer_of(file); to = layer_of(header)
			if (check == "arrows" && !(header in files))
				print $2 ": " $3 " is neither in include/ nor in its own folder"
			else if (check == "arrows" && from != to && rank[to] >= rank[from])
				print $2 ": " from " must not include " $3
		}
		END {
			for (file in files)
				if (check == "folders" && !(layer_of(file) in rank))
					print file ": its folder is no layer"
		}' | sort
}

# What both stores have in common knows neither of them, but for the table of them.
store_names_no_backend() {
	code_of lib/store/*.[ch] include/store/*.h | grep -v '^lib/store/backends\.c:' | sed -n -E '/[^A-Za-z](sqlite|redis)[_0-9a-z]*[_(]/p'
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
	includes system | grep '^include/' | grep -v '^include/base/hash\.h:.* uthash\.h$' |
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

check 'every folder is a layer' layer_rules folders
check 'no include points upwards' layer_rules arrows
check 'lib/store names a backend in its table only' store_names_no_backend
check 'foreign headers, threads and atomics stay with their owners' foreign_headers_have_owners
check 'headers of include/ name no foreign library' headers_name_no_library
check 'clocks are read in clock.c only' \
	only_in '(clock_gettime|gettimeofday|time|timespec_get)[ 	]*\(' lib/base/clock.c
check 'memory is taken in mem.c only' \
	only_in '(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|v?asprintf)[ 	]*\(' lib/base/mem.c
check 'atomics stay with their owners' \
	only_in '__atomic_|__sync_|_Atomic[^A-Za-z0-9_]' lib/io/loop.c 'lib/sqlite/*' lib/conf/conf.c lib/rules/overrides.c lib/base/log.c \
	lib/base/stats.c lib/engine/ask_queue.c lib/books/recorder.c milter/callbacks.c
finish
