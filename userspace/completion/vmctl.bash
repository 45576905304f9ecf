# SPDX-License-Identifier: GPL-2.0-only
# Completion of vmctl's command line for bash.
# shellcheck shell=bash

_vmctl_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_vmctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

_vmctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs="run caps version help"
	local run="--vcpus --memory --initrd --cmdline --cmdline-only --disk --debug-exit
		--reboot --device-path --json --quiet --help"

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_vmctl_words "$cur" "$verbs"
		return
	fi
	case ${COMP_WORDS[1]}:$prev in
	help:help) _vmctl_words "$cur" "$verbs" ;;
	run:-c | run:--vcpus) _vmctl_words "$cur" "1 2 4 8" ;;
	run:-m | run:--memory) _vmctl_words "$cur" "256M 512M 1G 2G 4G" ;;
	run:-a | run:--cmdline) ;;
	run:--debug-exit) _vmctl_words "$cur" "0xf4" ;;
	caps:--device-path) _vmctl_files "$cur" ;;
	caps:*) _vmctl_words "$cur" "--json --device-path" ;;
	run:*)
		case $cur in
		-*) _vmctl_words "$cur" "$run" ;;
		*) _vmctl_files "$cur" ;;
		esac
		;;
	esac
}

complete -F _vmctl vmctl
