/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU's registers as the VMM sees them. vcpu->mutex held, loaded. */
#ifndef JOIST_CORE_STATE_H
#define JOIST_CORE_STATE_H

struct vcpu;
struct kvm_regs;
struct kvm_sregs;
struct kvm_sregs2;
struct kvm_debugregs;
struct kvm_mp_state;
struct kvm_translation;

void state_get_regs(struct vcpu *vcpu, struct kvm_regs *regs);
void state_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs);
void state_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs);
int state_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);
void state_get_sregs2(struct vcpu *vcpu, struct kvm_sregs2 *sregs2);
int state_set_sregs2(struct vcpu *vcpu, const struct kvm_sregs2 *sregs2);
void state_get_debugregs(struct vcpu *vcpu, struct kvm_debugregs *regs);
int state_set_debugregs(struct vcpu *vcpu, const struct kvm_debugregs *regs);
void state_get_mp_state(struct vcpu *vcpu, struct kvm_mp_state *mp);
int state_set_mp_state(struct vcpu *vcpu, const struct kvm_mp_state *mp);
int state_sync_in(struct vcpu *vcpu);
void state_sync_out(struct vcpu *vcpu);

#endif
