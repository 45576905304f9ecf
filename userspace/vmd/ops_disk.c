// SPDX-License-Identifier: GPL-2.0-only
/* Operations on disks of a VM that runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "js.h"

/* By its name, or else its number, path or serial number. Return: NULL: there is none. */
static struct disk *find_disk(struct definition *def, const char *text)
{
	struct disk *disk = definition_disk(def, text);
	char number[16];
	int i;

	for (i = 0; !disk && i < def->nr_disks; i++) {
		snprintf(number, sizeof(number), "%d", i);
		if (!strcmp(text, number) || !strcmp(text, def->disk[i].path) ||
		    !strcmp(text, def->disk[i].options.serial))
			disk = &def->disk[i];
	}
	return disk;
}

static const char *explain(u32 error)
{
	switch (error) {
	case EINVAL:
		return "a disk cannot be made smaller while it is used";
	case EOPNOTSUPP:
		return "a disk of this format keeps its size while it is used";
	case ENOSPC:
		return "the block device is no larger";
	default:
		return strerror((int)error);
	}
}

static void resized(struct pending *p, const struct vm_reply *reply)
{
	if (reply->error)
		pending_refuse(p, "failed", explain(reply->error), NULL);
	else
		pending_vm(p);
}

void op_disk_resize(struct request *req)
{
	const char *text = json_object_get_string(js_get(req->json, "disk"));
	u64 size = (u64)js_int(req->json, "size", 0);
	struct machine *vm = req->vm;
	struct pending *p;
	struct disk *disk;

	if (!text || !size || size % MIB || size / MIB > UINT32_MAX) {
		client_refuse(req->client, req->id, "bad-request",
			      "'disk' says which one, 'size' whole MiB in bytes");
		return;
	}
	disk = find_disk(&vm->def, text);
	if (!disk) {
		client_refuse(req->client, req->id, "failed", "the VM has no such disk");
		return;
	}
	if (vm->state != RUNNING && vm->state != PAUSED) {
		client_refuse(req->client, req->id, "not-running", "the VM does not run");
		return;
	}
	p = pending_new(req, FOR_PROCESS);
	if (!p)
		return;
	p->process_done = resized;
	if (machine_tell(vm, VM_DISK_RESIZE, p->token, (u32)(size / MIB),
			 disk->name, NULL))
		pending_busy(p);
}
