// SPDX-License-Identifier: GPL-2.0-only
/* Exits that a CPU can do without, or make where others do not. */
#include <linux/init.h>
#include <asm/cpufeature.h>

#include "exits.h"

struct exit_caps exit_caps __ro_after_init;

/* A guest in MWAIT stops its CPU's clocks as deep as it likes: the host must still
 * be woken by its timer, and by a write.
 */
static bool mwait_harmless(void)
{
	return boot_cpu_has(X86_FEATURE_MWAIT) &&
	       boot_cpu_has(X86_FEATURE_ARAT) &&
	       !boot_cpu_has_bug(X86_BUG_MONITOR);
}

/** exit_caps_setup() - at load, before the vendor's */
void __init exit_caps_setup(void)
{
	exit_caps.optional = KVM_X86_DISABLE_EXITS_HLT |
			     KVM_X86_DISABLE_EXITS_PAUSE;
	if (mwait_harmless())
		exit_caps.optional |= KVM_X86_DISABLE_EXITS_MWAIT;
}
