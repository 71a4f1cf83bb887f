# shellcheck shell=bash
#
# bash's completion of mta-sts and mta-stsd: commands, options, values and arguments, and none of them once more where
# one is all that can be given. What there is, is read from the program's own help, so that there is no second list of
# it. Needs bash 4.4, and nothing of the package bash-completion.

# Makes of a help's "usage:" a list of words: a=KIND has a value, a+ may be said again, of a|b one is said, and a,b are
# values to choose from.
_mta_sts_usage() {
	local help=$1 add_long

	# A sed program, a line for each "-X, --NAME": it makes -X or -X=KIND in the usage a group with --NAME.
	add_long=$(sed -nE 's/^  (-[a-zA-Z]), (--[a-z-]*) .*/s#([ |])\1(=[^ |]*)?([ |])#\\1\1\\2|\2\\2\\3#/p' <<<"$help")
	sed '1n; /^ \{10\}/!Q' <<<"$help" | tr -s '\n ' ' ' | sed 's/^usage: mta-sts\(d\| [a-z]*\)//
	    s/\([A-Z]\)\[[^]]*\]/\1/g
	    s/|/,/g
	    s/ , /|/g
	    s/\(-[a-z-]*\) \([A-Za-z]\)/\1=\2/g
	    s/\.\.\./+/g
	    s/[][]//g' | sed -E "$add_long"
}

# The same of the program, or of a command.
_mta_sts_usage_of() {
	local help

	help=$(command "$program" "$@" -h 2>/dev/null </dev/null) || return
	if [[ $program == *mta-stsd ]]; then
		_mta_sts_usage "$help"
	elif (($# > 0)); then
		echo "$(_mta_sts_usage "$help") -h|--help"
	else
		echo "COMMAND=$(sed -n 's/^  \([a-z]*\)  .*/\1/p' <<<"$help" | tr '\n' ,)|-V|--version|-h|--help"
	fi
}

# Prints the domains of the configuration that begin like what is typed. The program reads it, aliases and included
# files too, in 0.2 s of CPU time where there are 100,000.
_mta_sts_domains() {
	[[ -f $config && -r $config ]] || return
	command "$program" dns -c "$config" 2>/dev/null |
		awk -v "start=_mta-sts.$cur" 'index($1, start) == 1 { print substr($1, 10, length($1) - 10) }'
}

# Takes one word that is whole: which of the usage it is, and what kind of value has to follow.
_mta_sts_take() {
	local word=$1 item

	if [[ -n $kind ]]; then
		[[ $name != -c && $name != --config ]] || config=${word/#\~\//$HOME/}
		kind=
		return
	fi
	name=${word%%=*}
	[[ $word != -[!-]?* ]] || name=${word:0:2}
	[[ $word != --config=* ]] || config=${word#*=}
	for item in ${usage//|/ }; do
		case $item in
		COMMAND=*) [[ $word == -* ]] || { usage=$(_mta_sts_usage_of "$word"); used=' '; return; } ;;
		[A-Z]*)    [[ $word == -* ]] || used+="${item%+} " ;;
		"$name"*)  [[ ${item%%[=+]*} == "$name" ]] || continue
		           used+="$name "
		           [[ $item != *=* || $word != "$name" ]] || { kind=${item#*=}; kind=${kind%+}; } ;;
		esac
	done
}

# Whether a word of the usage can be said: none of its group was, or it may be said again.
_mta_sts_is_open() {
	local group=$1 item=$2 said

	for said in ${group//|/ }; do
		[[ $used != *" ${said%%[=+]*} "* ]] || { [[ $item == *+ && $item == "$said" ]]; return; }
	done
}

# What kind of word can stand here: the argument that has no name, or else, or after a -, the options.
_mta_sts_find_kind() {
	local group item options=''

	for group in $usage; do
		for item in ${group//|/ }; do
			_mta_sts_is_open "$group" "$item" || continue
			case $item in
			-*) options+="${item%%[=+]*}," ;;
			*)  kind=${item#*=}; kind=${kind%+} ;;
			esac
		done
	done
	[[ $cur != -* && -n $kind ]] || kind=$options
}

_mta_sts() {
	local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words word cur program usage
	local config=/etc/mta-sts/mta-stsd.ini name='' kind='' used=' '

	# By blanks alone: bash's own COMP_WORDS are split at = and : too.
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=('')
	cur=${words[-1]}
	program=${words[0]/#\~\//$HOME/}
	usage=$(_mta_sts_usage_of)
	for word in "${words[@]:1:${#words[@]}-2}"; do
		_mta_sts_take "$word"
	done
	if [[ -z $kind && $cur == --*=* ]]; then
		_mta_sts_take "${cur%%=*}"
		cur=${cur#*=}
	elif [[ -z $kind ]]; then
		_mta_sts_find_kind
	fi
	COMPREPLY=()
	case $kind in
	FILE|PATH) compopt -o default ;;
	DOMAIN)    mapfile -t COMPREPLY < <(_mta_sts_domains) ;;
	*,*)       mapfile -t COMPREPLY < <(compgen -W "${kind//,/ }" -- "$cur") ;;
	esac
}

complete -F _mta_sts mta-sts mta-stsd
