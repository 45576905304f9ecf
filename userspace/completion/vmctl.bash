# SPDX-License-Identifier: GPL-2.0-only
# Completion of vmctl's command line for bash. vmctl itself knows the words:
# 'vmctl completion' reads the tables that parse the command line.
# shellcheck shell=bash

_vmctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words=$("${COMP_WORDS[0]}" completion commands 2>/dev/null)
	else
		[ "$COMP_CWORD" != 2 ] || prev=
		words=$("${COMP_WORDS[0]}" completion reply -- "${COMP_WORDS[1]}" "$prev" "$cur" \
			2>/dev/null)
	fi
	if [ "$words" = @file ]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	fi
}

complete -F _vmctl vmctl
