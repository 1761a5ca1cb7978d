# shellcheck shell=bash
# Programs whose packages conflict with those of other tests, beside lib.sh, which comes first: they are unpacked below
# PRIVATE, and installed nowhere. WEIR_DEBS is a directory that keeps the downloaded packages; without it, each test downloads
# its own.

UNPACKED= # where the packages are

# unpack_debs PACKAGE...: comes behind private_dir.
unpack_debs() {
	local cache=${WEIR_DEBS:-$PRIVATE/debs} package
	UNPACKED=$PRIVATE/unpacked
	mkdir -p "$cache" "$PRIVATE/download" || return 1
	for package in "$@"; do
		has_deb "$cache" "$package" || download_deb "$cache" "$package" || return 1
		dpkg -x "$(compgen -G "$cache/${package}_*.deb" | tail -n 1)" "$UNPACKED" || return 1
	done
}

has_deb() {
	compgen -G "$1/${2}_*.deb" >/dev/null
}

# download_deb CACHE PACKAGE: what is in the cache is whole.
download_deb() {
	(cd "$PRIVATE/download" && timeout 120 apt-get -q -o Acquire::Retries=0 download "$2") >>"$PRIVATE/apt.log" 2>&1 &&
		mv "$PRIVATE/download/$2"_*.deb "$1"
}

# unpacked_libraries: for LD_LIBRARY_PATH.
unpacked_libraries() {
	local lib paths=
	for lib in "$UNPACKED"/lib/*-linux-gnu* "$UNPACKED"/usr/lib/*-linux-gnu*; do
		[ ! -d "$lib" ] || paths=$paths${paths:+:}$lib
	done
	echo "$paths"
}
