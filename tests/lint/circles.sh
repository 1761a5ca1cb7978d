#!/bin/sh
# No circle between files: what a file calls does not lead back to it. Asked of the objects of a build.

build=${WEIR_BUILD:-$PWD}
# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

# Tables whose duty is to point at those that read them.
tables='ctl/commands.c'

# Of files that still exist, but for the tables.
objects() {
	(cd "$build" && find lib policyd milter ctl -name '*.o' 2>/dev/null) | sort | while read -r object; do
		file=${object%.o}.c
		case " $tables " in
		*" $file "*) continue ;;
		esac
		[ ! -f "$file" ] || echo "$object"
	done
}

# Prints "circle: FILE..." and, for each pair in it, "  FILE -> FILE: symbol..."
circles() {
	# shellcheck disable=SC2086
	(cd "$build" && nm -P -A $objects) | awk '
		# Of two programs each has its own main, and others of one name.
		function sees(from, to) {
			return to ~ /^lib\// || substr(to, 1, index(to, "/")) == substr(from, 1, index(from, "/"))
		}
		function reach(start, from, to) {
			for (to in names)
				if ((from, to) in edge && !((start, to) in reached)) {
					reached[start, to]
					reach(start, to)
				}
		}
		# What points at nobody, or at nobody who is left, is in no circle.
		function drop_ends(    file, to, ends, dropped) {
			do {
				dropped = 0
				for (file in names) {
					ends = 1
					for (to in names)
						if ((file, to) in edge)
							ends = 0
					if (ends) {
						delete names[file]
						dropped = 1
					}
				}
			} while (dropped)
		}
		{
			file = $1; sub(/\.o:$/, ".c", file); names[file]
			if ($3 == "U")
				wants[file, $2]
			else if ($3 ~ /^[A-Z]$/)
				owners[$2] = owners[$2] " " file
		}
		END {
			for (pair in wants) {
				split(pair, part, SUBSEP)
				n = split(owners[part[2]], owner, " ")
				for (i = 1; i <= n; i++)
					if (owner[i] != part[1] && sees(part[1], owner[i]))
						edge[part[1], owner[i]] = edge[part[1], owner[i]] " " part[2]
			}
			drop_ends()
			for (file in names)
				reach(file, file)
			for (file in names) {
				if (!((file, file) in reached) || file in told)
					continue
				members = ""
				for (other in names)
					if ((file, other) in reached && (other, file) in reached) {
						told[other] = file
						members = members " " other
					}
				print "circle:" members
				for (a in told)
					for (b in told)
						if (told[a] == file && told[b] == file && (a, b) in edge)
							print "  " a " -> " b ":" edge[a, b]
			}
		}'
}

objects=$(objects)
if [ -z "$objects" ]; then
	skip 'no circle between files' 'needs the objects of a build'
elif ! command -v nm >/dev/null; then
	skip 'no circle between files' 'needs nm'
else
	check 'no circle between files' circles
fi
finish
