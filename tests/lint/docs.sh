#!/bin/sh
# The manual and the sample file say what the code does: settings with their defaults, reasons, options.

# shellcheck source=tests/lint/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"

manual=man/weir.conf.5
daemon_manual=man/weir-policyd.8
ctl_manual=man/weirctl.8
sample=etc/weir.conf

# "name default reload|restart" of each row of the table, the default as it is written in a settings file.
schema_rows() {
	sed -n 's/^[ \t]*{"\([^"]*\)", *\(AT(\)\{0,1\}\(SET_[A-Z]*\),[^"]*"\([^"]*\)".*, *\(true\|false\)},.*/\1|\3|\4|\5/p' lib/conf/schema.c |
		awk -F '|' '
			function quoted(text) { return "\"" text "\"" }
			{ value = quoted($3) }
			$2 == "SET_INT" || $2 == "SET_BOOL" { value = $3 }
			$2 == "SET_POOLS" || $2 == "SET_DESTINATIONS" || $2 == "SET_GROUPS" { value = "( )" }
			$2 == "SET_TEXTS" {
				n = split($3, texts, / *, */)
				value = "["
				for (i = 1; i <= n; i++)
					value = value (i > 1 ? ", " : "") quoted(texts[i])
				value = value "]"
			}
			{ print $1, value, $4 == "true" ? "Restart" : "Reload" }'
}

# The same from the manual: ".It Ic name", a line on type and bounds, "Default: value.", "Reload." or "Restart."
manual_rows() {
	awk '
		/^\.It Ic [a-z]/ { name = $3; at = NR }
		at && NR == at + 1 && !/^[A-Z]/ { print name, "lacks its type" }
		at && NR == at + 2 { value = $0; sub(/^Default: /, "", value); sub(/\.$/, "", value) }
		at && NR == at + 3 { sub(/\.$/, ""); print name, value, $0 }' "$manual"
}

# "name value" of each commented setting of the sample: "#name = value;" inside its groups.
sample_rows() {
	awk '
		# The sample sets what an update must not set for those who have no such file.
		/^\tpool_files = \["pools.conf"\];$/ { $0 = "\t#pool_files = [];" }
		/^[ \t]*[a-z_]+: *\{$/ { sub(/:.*/, ""); sub(/^[ \t]*/, ""); group[++depth] = $0 "." }
		/^[ \t]*\};$/ { depth-- }
		/^[ \t]*#?[a-z_0-9]+ = .*;$/ {
			if (!sub(/^[ \t]*#/, ""))
				sub(/^/, "not commented: ")
			prefix = ""
			for (i = 1; i <= depth; i++)
				prefix = prefix group[i]
			sub(/ = /, " ")
			sub(/;$/, "")
			print prefix $0
		}' "$sample"
}

# compare WANTED FOUND: lines that only one of the two commands prints.
compare() {
	{
		"$1" | sed 's/^/1 /'
		"$2" | sed 's/^/2 /'
	} | awk '
		{ side = $1; sub(/^[12] /, ""); seen[$0] += side }
		END {
			for (line in seen)
				if (seen[line] != 3)
					print (seen[line] == 1 ? "missing or different: " : "not in the code, or different: ") line
		}' | sort
}

# Lists that stand in place of a group of the sample are no line of it.
schema_rows_without_reload() {
	schema_rows | grep -v '^limits\.\(senders\|users\|mailboxes\) ' | sed 's/ [A-Za-z]*$//'
}

# The patterns above must fit the table as it is written.
schema_is_read() {
	want=$(grep -c '^[[:blank:]]*{".*SET_' lib/conf/schema.c)
	got=$(schema_rows | wc -l)
	[ "$want" -eq "$got" ] && [ "$got" -ge 20 ] || echo "$got of $want rows of lib/conf/schema.c were understood"
}

# items FILE: the words of its lists' tags, one a line.
items() {
	sed -n -e '/^\.It /{' -e 's/^\.It //' -e 's/ , / /g' -e 'p' -e '}' "$1" | tr ' ' '\n'
}

reasons() {
	sed -n 's/^[ \t]*\[WHY_[A-Z_]*\( + [0-9]*\)*\] = {"\([^"]*\)".*/\2/p' lib/rules/why.c
}

counters() {
	sed -n '/^} rows/,/^};/s/^[ \t]*{"\([a-z_]*\)",.*/\1/p' lib/base/stats.c
}

reasons_are_explained() {
	[ "$(reasons | wc -l)" -ge 10 ] || echo 'the reasons in lib/rules/why.c were not understood'
	reasons | while read -r word; do
		items "$daemon_manual" | grep -q -x -F -e "$word" || echo "$word has no entry in $daemon_manual"
	done
}

counters_are_explained() {
	[ "$(counters | wc -l)" -ge 10 ] || echo 'the counters in lib/base/stats.c were not understood'
	counters | while read -r word; do
		items "$daemon_manual" | grep -q -x -F -e "$word" || echo "$word has no entry in $daemon_manual"
	done
}

metrics() {
	grep -h -o '"weir_[a-z0-9_]*[a-z0-9]"' lib/books/metrics*.c | tr -d '"'
	sed -n '/^} shapes/,/^};/s/^[ \t]*{"\([a-z_]*\)",.*/weir_\1_seconds/p' lib/base/stats.c
}

metrics_are_explained() {
	[ "$(metrics | wc -l)" -ge 15 ] || echo 'the metrics in lib/books/metrics.c were not understood'
	metrics | while read -r word; do
		items "$daemon_manual" | grep -q -x -F -e "$word" || echo "$word has no entry in $daemon_manual"
	done
}

# Letters of getopt(3)'s string and names of its long options, wherever the daemon reads them.
options() {
	# shellcheck disable=SC2046
	set -- $(c_files lib policyd)
	cat "$@" | tr '\n' ' ' | grep -o 'getopt\(_long\)\{0,1\}([^"]*"[^"]*"' | sed 's/.*"\(.*\)"/\1/' | grep -o '[A-Za-z]'
	grep -h -o '{"[a-z-]*", *\(no\|required\|optional\)_argument' "$@" | sed 's/{"\([a-z-]*\)".*/-\1/'
}

options_are_explained() {
	options | sort -u | while read -r option; do
		grep -q -E -e "^\\.It (.* )?Fl $option( |\$)" "$daemon_manual" || echo "-$option has no entry in $daemon_manual"
	done
}

# "command option" of each row of weirctl's table; of the command itself, without an option.
ctl_rows() {
	awk '
		/^static const struct command_option / { table = $5; sub(/\[.*/, "", table) }
		/^};/ { table = "" }
		/^\t\{"/ { split($0, words, "\""); name = words[2] }
		/^\t\{"/ && table { options[table] = options[table] " " name }
		/^\t\{"/ && !table {
			print name
			last = $NF
			sub(/}.*/, "", last)
			n = split(options[last], of_command, " ")
			for (i = 1; i <= n; i++)
				print name, of_command[i]
		}' ctl/commands.c
}

# The same from the manual: ".It Ic command ...", and "Fl -option" there and up to the next one. Options of the program
# are those of ctl/options.c.
ctl_manual_rows() {
	awk '
		/^\.Sh / { command = "" }
		/^\.S[sh] (Looking|Letting|Destinations|The site)/ { inside = 1 }
		/^\.Sh / { inside = 0 }
		!inside { next }
		/^\.It Ic / { command = $3; print command }
		{
			line = $0
			while (match(line, /Fl -[a-z0-9-]+/)) {
				print command, substr(line, RSTART + 4, RLENGTH - 4)
				line = substr(line, RSTART + RLENGTH)
			}
		}' "$ctl_manual" | grep -v -E ' (json|help|version)$' | sort -u
}

ctl_rows_sorted() {
	ctl_rows | sort -u
}

ctl_table_is_read() {
	[ "$(ctl_rows | wc -l)" -ge 40 ] || echo 'the table in ctl/commands.c was not understood'
}

# Options of weirctl itself.
ctl_options_are_explained() {
	awk -F '"' '/^static const struct command_option globals/ { inside = 1 } /^};/ { inside = 0 }
		inside && /^\t\{"/ { print $2 }' ctl/options.c | while read -r option; do
		grep -q -E -e "^\\.It (.* )?Fl -$option( |\$)" "$ctl_manual" || echo "--$option has no entry in $ctl_manual"
	done
}

manuals_are_clean() {
	mandoc -T lint -W warning man/*.[1-8]
}

check 'the table of settings can be read' schema_is_read
check "every setting is in $manual with its default" compare schema_rows manual_rows
check "every setting is in $sample, commented, with its default" compare schema_rows_without_reload sample_rows
check "every reason is in $daemon_manual" reasons_are_explained
check "every counter is in $daemon_manual" counters_are_explained
check "every metric is in $daemon_manual" metrics_are_explained
check "every option is in $daemon_manual" options_are_explained
check 'the table of commands can be read' ctl_table_is_read
check "every command of weirctl is in $ctl_manual with its options" compare ctl_rows_sorted ctl_manual_rows
check "every option of weirctl itself is in $ctl_manual" ctl_options_are_explained
if command -v mandoc >/dev/null; then
	check 'mandoc has nothing against the manual' manuals_are_clean
else
	skip 'mandoc has nothing against the manual' 'needs mandoc'
fi
finish
