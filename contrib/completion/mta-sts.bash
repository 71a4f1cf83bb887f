# Completion of mta-sts for bash. Options and what belongs behind them are read from the program's own help.

# The words that begin as the one that is being typed, of those on standard input.
_mta_sts_offer() {
	COMPREPLY=()
	local word
	while read -r word; do
		[[ $word == "$1"* ]] && COMPREPLY+=("$word")
	done
}

# What the help has behind an option: FILE, IP, zone|nsupdate|json, ...; nothing: nothing belongs there.
_mta_sts_behind() {
	[[ $1 == -* ]] && grep -oE -- "(^|[ [|])$1 [^] -][^] ]*" <<<"$2" | head -n 1 | sed 's/.* //'
}

# The domains of the configuration that the line names, or of the usual one.
_mta_sts_domains() {
	local at config=()
	for ((at = 2; at < COMP_CWORD; at++)); do
		[[ ${COMP_WORDS[at - 1]} == -c ]] && config=(-c "${COMP_WORDS[at]}")
	done
	"${COMP_WORDS[0]}" dns "${config[@]}" 2>/dev/null | sed -n 's/^_mta-sts\.\([^ ]*\)\. .*/\1/p'
}

_mta_sts() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} help behind
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_mta_sts_offer "$word" < <("$program" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'; echo --help; echo --version)
		return
	fi
	help=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null) || return
	behind=$(_mta_sts_behind "${COMP_WORDS[COMP_CWORD - 1]}" "$help")
	case $behind in
	FILE* | PATH*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	DOMAIN*)
		_mta_sts_offer "$word" < <(_mta_sts_domains)
		return ;;
	*'|'*)
		_mta_sts_offer "$word" < <(tr '|' '\n' <<<"$behind")
		return ;;
	?*)
		return ;;
	esac
	if [[ $word == -* ]]; then
		_mta_sts_offer "$word" < <(grep -oE '^  (-[a-z], )?--?[a-z-]+' <<<"$help" | tr -d ',' | tr -s ' ' '\n'; echo --help)
	elif [[ $help == *PATH...* ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $help == *DOMAIN...* ]]; then
		_mta_sts_offer "$word" < <(_mta_sts_domains)
	fi
}

complete -F _mta_sts mta-sts
