#!/bin/sh
# usage: contrib/build/mirrors.sh SUITE
#
# Prints one-line apt sources for another Debian release, from the mirror that this system's own sources name: the
# entries for its own release, in one-line (.list) and deb822 (.sources) files, with SUITE in that release's place.
# What third parties offer has other suites or components; if one slips through, apt refuses its signature.

set -eu
export LC_ALL=C
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

one_line_entries() {  # "URI SUITE" of each
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
	    sed -n 's/#.*//; s/\[[^]]*\]//; s/^[[:space:]]*deb[[:space:]]\{1,\}//p' |
	    awk '/[[:space:]]main([[:space:]]|$)/ { print $1, $2 }'
}

deb822_entries() {
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		awk '
			function has(name, word) { return index(" " field[name] " ", " " word " ") }
			function end_of_stanza(  i, j, uris, suites, n, m) {
				n = split(field["uris"], uris)
				m = split(field["suites"], suites)
				if (has("types", "deb") && has("components", "main") && !has("enabled", "no"))
					for (i = 1; i <= n; i++)
						for (j = 1; j <= m; j++)
							print uris[i], suites[j]
				split("", field)
			}
			/^#/ { next }
			/^[[:space:]]*$/ { end_of_stanza(); next }
			/^[^[:space:]]/ { name = tolower($1); sub(/:.*/, "", name); sub(/^[^:]*:/, "") }
			{ gsub(/[[:space:]]+/, " "); field[name] = field[name] " " $0 }
			END { end_of_stanza() }' "$file"
	done
}

{ one_line_entries; deb822_entries; } | awk -v codename="$codename" -v suite="$1" -v keyring="$keyring" '
	{ release = $2; sub(/-(updates|security)$/, "", release) }
	release == codename || release == "stable" || release == "oldstable" {
		print "deb [signed-by=" keyring "] " $1 " " suite substr($2, length(release) + 1) " main"
	}' | sort -u
