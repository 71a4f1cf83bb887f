#!/bin/sh
# usage: contrib/build/deps.sh GROUP...
#
# Gets what the named groups need: system packages where something is missing (root; anybody else is told the command
# to run), and mbedTLS >= 3.6.6 and Nettle >= 3.10, from the first of
#
#   $MBEDTLS     a prefix with include/ and lib/, where that variable is set (mbedTLS only)
#   the system   where its own is new enough
#   build/deps   Debian 13's signed packages, unpacked there: for Debian 12, whose own mbedTLS has no usable TLS 1.3
#
# and says which ones in build/mbedtls/cflags, libs and wraps, gcc response files (gcc @FILE) that change only when the
# answer does. CURVES=stock, mbedTLS 4, or no Nettle to be had: without it (src/server/curves.h). Nothing is ever added
# to the system's package sources. When all is there, no network is touched, with one exception: where build/deps is
# linked in, apt does not upgrade it, so once a day its versions are compared with the mirror's, for 20 s at most.
#
# The group update replaces build/deps when the mirror has other versions.

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
build=build  # relative, so that the path of the checkout may hold a space
CC=${CC:-cc}

MBEDTLS_MIN=3.6.6
MBEDTLS_MIN_NUMBER=0x03060600
NETTLE_MIN=3.10
NEWER_SUITE=trixie              # the Debian release whose mbedTLS and Nettle are unpacked on an older one
UNPACKED="libmbedtls-dev nettle-dev"
CHECK_SECONDS=20                # what a comparison with the mirror may take

packages_of() {
	case $1 in
	build)     echo gcc libc6-dev ;;
	server)    echo libev-dev libinih-dev
	           ! wants_system_mbedtls || echo libmbedtls-dev
	           ! wants_nettle || echo libgmp-dev libsodium-dev
	           ! wants_system_nettle || echo nettle-dev ;;
	tool)      echo libjansson-dev libidn2-dev libcurl4-openssl-dev libc-ares-dev libgmime-3.0-dev zlib1g-dev pkgconf ;;
	demo)      echo openssl curl ;;
	test)      echo libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-cryptography \
	                curl openssl gnutls-bin iproute2 libcap2-bin procps ;;
	sanitized) echo valgrind libc6-dbg ;;
	fuzz)      echo clang libclang-rt-dev ;;
	lint)      echo git clang libclang-rt-dev clang-tidy clang-format cppcheck mandoc shellcheck pyflakes3 ;;
	bench)     echo libssl-dev ;;
	fresh)     echo mmdebstrap git ;;
	update)    ;;
	*)         die "deps: no such group: $1" ;;
	esac
}

# The same without a package manager that we know: the commands, headers and Python modules of each group.
probe() {
	case $1 in
	build)     need_command "$CC" ;;
	server)    need_header ev.h; need_header ini.h
	           ! wants_nettle || ! recent_nettle "" || need_header gmp.h ;;
	tool)      need_header jansson.h; need_header idn2.h; need_header zlib.h
	           need_header curl/curl.h; need_header ares.h
	           pkg-config --exists gmime-3.0 || lacking="$lacking gmime-3.0" ;;
	demo)      need_command openssl; need_command curl ;;
	test)      need_command curl; need_command openssl; need_command gnutls-cli; need_command ip; need_command setpriv
	           need_module pytest; need_module xdist; need_module cryptography
	           need_header 'stdarg.h> 
#include <stddef.h> 
#include <setjmp.h> 
#include <stdint.h> 
#include <cmocka.h' ;;
	sanitized) need_command valgrind ;;
	fuzz)      need_command clang ;;
	lint)      for tool in git clang clang-tidy clang-format cppcheck mandoc shellcheck pyflakes3; do
	               need_command "$tool"
	           done ;;
	bench)     need_header openssl/ssl.h ;;
	fresh)     need_command mmdebstrap; need_command git ;;
	update)    ;;
	*)         die "deps: no such group: $1" ;;
	esac
}

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

# Runs a command whose output matters only when it fails.
quietly() {
	mkdir -p "$build"
	"$@" >"$build/deps.log" 2>&1 || { cat "$build/deps.log" >&2; return 1; }
}

# --- system packages

os_release() {  # one variable of it, or nothing
	sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d \"
}

have_apt() {
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

# Prints those of the packages that are not installed.
missing_packages() {
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
	for package; do
		printf '%s\n' "$installed" | grep -qx "$package" || printf '%s ' "$package"
	done
}

install_packages() {
	if [ "$(id -u)" != 0 ]; then
		die "These packages are missing. Please run:" "" "    sudo apt-get install --no-install-recommends $*" ""
	fi
	echo "installing: $*"
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -qq -s --no-install-recommends "$@" >/dev/null 2>&1 || quietly apt-get update -q || true
	quietly apt-get install -y -q --no-install-recommends "$@" && return
	# The lists may be older than what the mirror still has.
	quietly apt-get update -q || true
	quietly apt-get install -y -q --no-install-recommends "$@" || die "deps: could not install: $*"
}

need_command() {
	command -v "$1" >/dev/null || lacking="$lacking $1"
}

need_header() {
	printf '#include <%s>\n' "$1" | "$CC" -E -x c - >/dev/null 2>&1 || lacking="$lacking ${1##*<}"
}

need_module() {
	"${PYTHON:-python3}" -c "import $1" 2>/dev/null || lacking="$lacking python3:$1"
}

# --- mbedTLS and Nettle

is_debian_12() {
	have_apt && [ "$(os_release ID)" = debian ] && [ "$(os_release VERSION_ID)" = 12 ]
}

# Succeeds if there is such a header (in an include folder, or the system's) and what it defines meets a condition.
header_says() {  # header, condition, folder
	printf '#include <%s>\n#if !(%s)\n#error\n#endif\n' "$1" "$2" | "$CC" -E ${3:+"-I$3"} -x c - >/dev/null 2>&1
}

recent_mbedtls() {
	header_says mbedtls/build_info.h "MBEDTLS_VERSION_NUMBER >= $MBEDTLS_MIN_NUMBER" "$1"
}

is_mbedtls_4() {
	header_says mbedtls/build_info.h "MBEDTLS_VERSION_NUMBER >= 0x04000000" "$1"
}

recent_nettle() {  # Nettle 4 is another interface
	header_says nettle/version.h "NETTLE_VERSION_MAJOR == 3 && NETTLE_VERSION_MINOR >= ${NETTLE_MIN#3.}" "$1"
}

# What is asked of the system's packages: where they can be new enough, and nothing else is.
wants_system_mbedtls() {
	[ -z "${MBEDTLS:-}" ] && ! recent_mbedtls "" && ! is_debian_12
}

wants_nettle() {
	[ "${CURVES:-}" != stock ] && ! is_mbedtls_4 "${MBEDTLS:+$MBEDTLS/include}"
}

wants_system_nettle() {
	wants_nettle && ! recent_nettle "" && ! is_debian_12
}

# Puts Debian's newer libmbedtls-dev and nettle-dev (headers and static libraries) into build/deps.
unpack_newer() {
	rm -rf "$build/deps.new"
	echo "unpacking Debian $NEWER_SUITE's mbedTLS and Nettle into build/deps"
	# shellcheck disable=SC2086 # a list of names
	quietly contrib/build/unpack.sh "$NEWER_SUITE" "$build/deps.new" $UNPACKED ||
	    die "deps: mbedTLS >= $MBEDTLS_MIN and Nettle >= $NETTLE_MIN are needed, and could not be had. Is there a network?" \
	        "Without Nettle: make CURVES=stock. With an mbedTLS that you have built: make MBEDTLS=/its/prefix"
	recent_mbedtls "$build/deps.new/usr/include" ||
	    die "deps: the mirror's Debian $NEWER_SUITE has an mbedTLS older than $MBEDTLS_MIN"
	recent_nettle "$build/deps.new/usr/include" ||
	    die "deps: the mirror's Debian $NEWER_SUITE has a Nettle older than $NETTLE_MIN"
	rm -rf "$build/deps"
	mv "$build/deps.new" "$build/deps"
	mkdir -p "$build/apt"
	cp "$build/deps/packages" "$build/apt/newest"
}

# A file of lines "PACKAGE VERSION" as "PACKAGE VERSION, PACKAGE VERSION"
versions_in() {
	paste -s -d , "$1" 2>/dev/null | sed 's/,/, /g'
}

linked_packages() {
	versions_in "$build/deps/packages" | if wants_nettle; then cat; else sed 's/, nettle-dev.*//'; fi
}

# Writes the versions that the mirror has to build/apt/newest. Fails, and writes nothing, when the mirror does not answer.
ask_mirror() {  # a command that runs the question (timeout SECONDS), or nothing
	mkdir -p "$build/apt"
	# shellcheck disable=SC2086 # a list of names
	"$@" contrib/build/unpack.sh -n "$NEWER_SUITE" $UNPACKED >"$build/apt/newest.new" 2>"$build/deps.log" &&
	    mv "$build/apt/newest.new" "$build/apt/newest"
}

# One line where the mirror has other versions than those that are linked in. Without a network, the next question is
# a day later, too.
tell_of_newer() {
	if [ -z "$(find "$build/apt/newest" -mtime -1 2>/dev/null)" ]; then
		ask_mirror timeout "$CHECK_SECONDS" || touch "$build/apt/newest" 2>/dev/null || return 0
	fi
	[ ! -s "$build/apt/newest" ] || cmp -s "$build/apt/newest" "$build/deps/packages" ||
	    echo "Debian $NEWER_SUITE has newer libraries to link in ($(versions_in "$build/apt/newest")): make deps-update"
}

update() {
	if [ -n "${MBEDTLS:-}" ] || recent_mbedtls "" || ! is_debian_12; then
		echo "build/deps is not used here: mbedTLS and Nettle are the system's, and apt updates them; or those of MBEDTLS="
		return
	fi
	ask_mirror || { cat "$build/deps.log" >&2; die "deps: the mirror cannot be asked; build/deps stays as it is"; }
	if cmp -s "$build/apt/newest" "$build/deps/packages"; then
		echo "build/deps is Debian $NEWER_SUITE's newest: $(versions_in "$build/deps/packages")"
		return
	fi
	unpack_newer
	echo "build/deps is now $(versions_in "$build/deps/packages"). Then: make && make install, and restart the server"
}

# Where mbedTLS comes from: this function alone decides it.
find_mbedtls() {
	if [ -n "${MBEDTLS:-}" ]; then
		case $MBEDTLS in *[[:space:]]*) die "deps: MBEDTLS=$MBEDTLS holds a space; use a path without" ;; esac
		recent_mbedtls "$MBEDTLS/include" || die "deps: no mbedTLS >= $MBEDTLS_MIN in MBEDTLS=$MBEDTLS"
		use_mbedtls "$MBEDTLS/include" "$MBEDTLS/lib"
	elif recent_mbedtls ""; then
		cflags=
		libs="-lmbedtls -lmbedx509 -l$(crypto_library "")"
	elif recent_mbedtls "$build/deps/usr/include"; then
		use_mbedtls "$build/deps/usr/include" "$build"/deps/usr/lib/*
		cflags="$cflags '-DLINKED_PACKAGES=\"$(linked_packages)\"'"
		tell_of_newer
	elif is_debian_12; then
		unpack_newer
		find_mbedtls
	else
		die "deps: mbedTLS >= $MBEDTLS_MIN is needed and this system has none." \
		    "Build it yourself and say: make MBEDTLS=/its/prefix"
	fi
}

use_mbedtls() {  # the folders of the headers and of the libraries; static ones are preferred: what is linked moves along
	cflags="-isystem $1"
	if [ -e "$2/libmbedtls.a" ]; then
		libs="$2/libmbedtls.a $2/libmbedx509.a $2/lib$(crypto_library "$1").a"
	else
		libs="-L$2 -Wl,-rpath,$2 -lmbedtls -lmbedx509 -l$(crypto_library "$1")"
	fi
}

crypto_library() {  # its name, which is another since mbedTLS 4
	if is_mbedtls_4 "$1"; then echo tfpsacrypto; else echo mbedcrypto; fi
}

# Where Nettle comes from, if it is to come: after find_mbedtls.
find_nettle() {
	wraps=
	wants_nettle || return 0
	if recent_nettle ""; then
		use_nettle "" "-lhogweed -lnettle -lgmp"
	elif recent_nettle "$build/deps/usr/include"; then
		for folder in "$build"/deps/usr/lib/*; do :; done
		use_nettle "$build/deps/usr/include" "$folder/libhogweed.a $folder/libnettle.a -lgmp"
	elif is_debian_12; then
		unpack_newer
		find_nettle
	else
		echo "no Nettle >= $NETTLE_MIN and < 4: building with mbedTLS's own curves, which are slower"
	fi
}

# The functions of mbedTLS that src/server/curves_*.c replace; a static library's are given to the linker.
use_nettle() {  # include folder, libraries
	case "$cflags " in
	*"$1 "*) ;;
	*)       cflags="$cflags -isystem $1" ;;
	esac
	cflags="$cflags -DCURVES_NETTLE"
	case $libs in
	*.a) cflags="$cflags -DCURVES_WRAPPED"
	     wraps=$(sed -n 's/^CURVES_SEAM(\(.*\));$/-Wl,--wrap=\1/p' src/server/curves_*.c) ;;
	esac
	libs="$libs $2"
	if header_says sodium.h 1 ""; then
		cflags="$cflags -DCURVES_SODIUM"
		libs="$libs -lsodium"
	fi
}

answer() {
	mkdir -p "$build/mbedtls"
	[ -e "$build/mbedtls/$1" ] && [ "$(cat "$build/mbedtls/$1")" = "$2" ] || printf '%s\n' "$2" >"$build/mbedtls/$1"
}

# --- the groups asked for

[ $# -gt 0 ] || die "usage: $0 build|server|tool|demo|test|sanitized|fuzz|lint|bench|fresh|update ..."

wanted=
lacking=
for group; do
	if have_apt; then
		wanted="$wanted $(packages_of "$group")"
	else
		probe "$group"
	fi
done
[ -z "$lacking" ] || die "deps: please install what gives these:$lacking"
if [ -n "$wanted" ]; then
	# shellcheck disable=SC2086 # a list of names
	missing=$(missing_packages $wanted)
	# shellcheck disable=SC2086
	[ -z "$missing" ] || install_packages $missing
fi

case " $* " in
*" update "*)
	update
	;;
*" server "*)
	find_mbedtls
	find_nettle
	answer cflags "$cflags"
	answer libs "$libs"
	answer wraps "$wraps"
	;;
esac
