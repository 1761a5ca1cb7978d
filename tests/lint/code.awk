# Prints C files as "file:line:code", without comments and without what strings and characters hold.
# An #include keeps its file's name.

FNR == 1 { comment = 0 }

{
	out = ""
	rest = $0
	sub(/\r$/, "", rest)
	if (!comment && rest ~ /^[ \t]*#[ \t]*include/) {
		sub(/[ \t]*\/[*\/].*/, "", rest)
		print FILENAME ":" FNR ":" rest
		next
	}
	while (rest != "") {
		if (comment) {
			end = index(rest, "*/")
			if (!end)
				break
			rest = substr(rest, end + 2)
			comment = 0
			out = out " "
		} else if (match(rest, /^"([^"\\]|\\.)*"/)) {
			out = out "\"\""
			rest = substr(rest, RLENGTH + 1)
		} else if (match(rest, /^'([^'\\]|\\.)+'/)) {
			out = out "''"
			rest = substr(rest, RLENGTH + 1)
		} else if (substr(rest, 1, 2) == "//") {
			break
		} else if (substr(rest, 1, 2) == "/*") {
			comment = 1
			rest = substr(rest, 3)
		} else {
			out = out substr(rest, 1, 1)
			rest = substr(rest, 2)
		}
	}
	if (out ~ /[^ \t]/)
		print FILENAME ":" FNR ":" out
}
