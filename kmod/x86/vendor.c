// SPDX-License-Identifier: GPL-2.0-only
/* The one place that names both backends. */
#include <linux/errno.h>
#include <linux/printk.h>

#include "vendor_ops.h"
#include "msr.h"

const struct vendor_ops *vendor __ro_after_init;

#define OP(ret, op, args)						\
	DEFINE_STATIC_CALL_NULL(joist_##op,				\
				*(((struct vendor_ops *)0)->op));
VENDOR_OPS(OP)
#undef OP

static bool has_op(const struct vendor_ops *ops, const char *name, bool has)
{
	return !WARN(!has, "joist: %s lacks %s\n", ops->name, name);
}

static bool vendor_complete(const struct vendor_ops *ops)
{
	bool complete = true;

#define OP(ret, op, args) complete &= has_op(ops, #op, ops->op);
	VENDOR_OPS(OP)
#undef OP
	return complete;
}

/**
 * vendor_select() - find the backend this machine has and bind to it
 *
 * Return: 0; -EOPNOTSUPP: neither VMX nor SVM, or the firmware locked it;
 * -EBUSY: another hypervisor holds it. The log names cause and remedy.
 */
int __init vendor_select(void)
{
	static const struct vendor_ops * const all[] = { &vmx_ops, &svm_ops };
	int i, err;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		err = all[i]->probe();
		if (err == -ENODEV)
			continue;
		if (err)
			return err;
		if (!vendor_complete(all[i]))
			return -EINVAL;
		vendor = all[i];
#define OP(ret, op, args) static_call_update(joist_##op, vendor->op);
		VENDOR_OPS(OP)
#undef OP
		return 0;
	}
	pr_err("this CPU has neither VMX nor SVM (a guest needs nested virtualization enabled by its host)\n");
	return -EOPNOTSUPP;
}
