/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What AVIC's CPUs and software tell each other: the physical APIC ID table, and exits. By
 * the AMD64 APM volume 2, "Advanced Virtual Interrupt Controller", for x2APIC mode.
 */
#ifndef JOIST_SVM_AVIC_TABLE_H
#define JOIST_SVM_AVIC_TABLE_H

#include "../core/types.h"

struct exit;
struct lapic;

void avic_entry_init(u64 *entry, hpa_t regs);
void avic_entry_takes(u64 *entry, bool takes);
void avic_entry_enter(u64 *entry, u32 apic_id);
bool avic_entry_leave(u64 *entry, struct lapic *lapic, bool sleeps);
bool avic_reads_pass(const struct lapic *lapic, u32 reg);
bool avic_writes_pass(u32 reg, bool eois_heard);
void avic_decode_ipi(struct exit *e, struct lapic *lapic, u64 info1, u64 info2);
void avic_decode_access(struct exit *e, const struct lapic *lapic, u64 info1, u64 info2);

#endif
