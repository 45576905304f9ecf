// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-console with several ports (virtio 1.2, chapter 5.3). What a guest writes while nobody is
 * connected, of which it is told, is lost, as on a line without anybody at its end; who is
 * connected and does not read makes the guest wait.
 */
#include <assert.h>
#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../backend/port.h"
#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "device.h"
#include "iov.h"
#include "pci.h"
#include "ports.h"

#define CLASS_SERIAL	0x078000
#define CHUNK		4096
#define CTRL_RX		2	/* between the queues of port 0 and the others' */
#define CTRL_TX		3
#define NR_QUEUES(ports)	(2 * (ports) + 2)

static_assert(NR_QUEUES(VMM_PORTS_MAX) <= VIRTIO_QUEUES_MAX, "two for each, and two of control");

/* What the guest is to be told of a port, in this order; a bit of struct port's todo each. */
enum { TELL_ADD, TELL_CONSOLE, TELL_NAME, TELL_OPEN, NR_TELLS };

/**
 * struct port - one of them
 * @end: the host's end; the thread's own, but for its being there
 * @todo: what the guest is to be told
 * @ready: the guest knows it
 * @guest_open: somebody in the guest has it open
 * @held: @out is taken, and not all sent
 * @sent: bytes of it that are
 * @want_in: wait until the host's end has something
 * @want_out: wait until it takes more
 *
 * The device's lock protects what the guest changes, a reset too.
 */
struct port {
	const struct vmm_port *config;
	struct virtq *rx, *tx;
	struct port_end end;
	u8 todo;
	bool ready;
	bool guest_open;
	bool held;
	bool want_in, want_out;
	size_t sent;
	struct chain out;
};

struct virtio_ports {
	struct virtio_dev dev;
	struct virtio_pci pci;
	struct virtio_console_config config;
	int nr;
	struct port port[VMM_PORTS_MAX];
	struct chain chain;	/* the request being served; the thread's own */
	int stop_fd;
	pthread_t thread;
	bool started;
};

static bool multiport(const struct virtio_ports *ports)
{
	return ports->dev.driver_features & BIT_ULL(VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Those whom the guest does not know yet it hears of when it does. */
static void tell_open(struct port *port)
{
	if (port->ready)
		port->todo |= BIT(TELL_OPEN);
}

static void hang_up(struct port *port)
{
	port_end_drop(&port->end);
	port->want_in = false;
	port->want_out = false;
	tell_open(port);
}

/* Return: 0, or -EINVAL: against the rules. */
static int obey(struct virtio_ports *ports)
{
	const struct chain *chain = &ports->chain;
	struct virtio_console_control msg;
	struct port *port;
	int i;

	if (iov_get(chain->iov, chain->nr_out, 0, &msg, sizeof(msg)) != sizeof(msg))
		return -EINVAL;
	if (msg.event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (i = 0; msg.value && i < ports->nr; i++)
			ports->port[i].todo = BIT(TELL_ADD);
		return 0;
	}
	if (msg.id >= (u32)ports->nr)
		return 0;
	port = &ports->port[msg.id];
	if (msg.event == VIRTIO_CONSOLE_PORT_READY && msg.value) {
		port->ready = true;
		port->todo |= BIT(TELL_NAME) | (port->config->console ? BIT(TELL_CONSOLE) : 0);
		if (port->end.fd >= 0)
			tell_open(port);
	} else if (msg.event == VIRTIO_CONSOLE_PORT_OPEN) {
		port->guest_open = msg.value;
	}
	return 0;
}

/* Write one message. Return: its length, or -EINVAL: there is no room for it. */
static int write_message(struct virtio_ports *ports, int i, int what)
{
	static const u16 events[NR_TELLS] = {
		VIRTIO_CONSOLE_PORT_ADD, VIRTIO_CONSOLE_CONSOLE_PORT,
		VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_PORT_OPEN,
	};
	struct {
		struct virtio_console_control head;
		char name[VMM_PORT_NAME_MAX];
	} msg = {
		.head = { .id = (u32)i, .event = events[what], .value = 1 },
	};
	const struct chain *chain = &ports->chain;
	struct port *port = &ports->port[i];
	size_t len = sizeof(msg.head);

	if (what == TELL_OPEN)
		msg.head.value = port->end.fd >= 0;
	if (what == TELL_NAME) {
		len += strlen(port->config->name);
		memcpy(msg.name, port->config->name, strlen(port->config->name));
	}
	if (iov_put(chain->iov + chain->nr_out, chain->nr_in, &msg, len) != len)
		return -EINVAL;
	port->todo &= (u8)~BIT(what);
	return (int)len;
}

/* One message of the device's. Return: whether there may be more to do; or -EINVAL. */
static int serve_ctrl_rx(struct virtio_ports *ports)
{
	struct virtq *q = &ports->dev.queue[CTRL_RX];
	int i, what, ret;

	for (i = 0; i < ports->nr && !ports->port[i].todo; i++)
		;
	if (i == ports->nr || !q->ready)
		return false;
	ret = queue_pop(q, &ports->chain);
	if (!ret)
		return queue_arm(q);
	for (what = 0; !(ports->port[i].todo & BIT(what)); what++)
		;
	if (ret > 0)
		ret = write_message(ports, i, what);
	if (ret < 0)
		return ret;
	virtio_dev_return(&ports->dev, q, ports->chain.head, (u32)ret);
	return true;
}

/* One message of the driver's. Likewise. */
static int serve_ctrl_tx(struct virtio_ports *ports)
{
	struct virtq *q = &ports->dev.queue[CTRL_TX];
	int ret;

	if (!q->ready)
		return false;
	ret = queue_pop(q, &ports->chain);
	if (!ret)
		return queue_arm(q);
	if (ret > 0)
		ret = obey(ports);
	if (ret < 0)
		return ret;
	virtio_dev_return(&ports->dev, q, ports->chain.head, 0);
	return true;
}

/* Some of what the guest writes. Likewise. */
static int serve_out(struct virtio_ports *ports, struct port *port)
{
	u8 data[CHUNK];
	ssize_t n = 0;
	size_t len;
	int ret;

	if (!port->tx->ready)
		return false;
	if (!port->held) {
		ret = queue_pop(port->tx, &port->out);
		if (ret <= 0)
			return ret ?: queue_arm(port->tx);
		port->held = true;
		port->sent = 0;
	}
	len = iov_get(port->out.iov, port->out.nr_out, port->sent, data, sizeof(data));
	if (len && port->end.fd >= 0) {
		n = port_end_send(&port->end, data, len);
		port->want_out = n == -EAGAIN;
		if (port->want_out)
			return false;
		if (n < 0)
			hang_up(port);
	}
	if (n > 0) {
		port->sent += (size_t)n;
		return true;
	}
	port->held = false;
	virtio_dev_return(&ports->dev, port->tx, port->out.head, 0);
	return true;
}

/* Some of what it is to read. Likewise. */
static int serve_in(struct virtio_ports *ports, struct port *port)
{
	struct chain *chain = &ports->chain;
	u8 data[CHUNK];
	size_t room;
	ssize_t n;
	int ret;

	port->want_in = false;
	if (port->end.fd < 0 || !port->guest_open || !port->rx->ready)
		return false;
	ret = queue_pop(port->rx, chain);
	if (ret <= 0)
		return ret ?: queue_arm(port->rx);
	room = (size_t)min(iov_total(chain->iov + chain->nr_out, chain->nr_in),
			   (u64)sizeof(data));
	if (!room)
		return -EINVAL;
	n = port_end_receive(&port->end, data, room);
	if (n <= 0) {
		queue_unpop(port->rx, 1);
		port->want_in = n == -EAGAIN;
		if (!port->want_in)
			hang_up(port);
		return !port->want_in;
	}
	iov_put(chain->iov + chain->nr_out, chain->nr_in, data, (size_t)n);
	virtio_dev_return(&ports->dev, port->rx, chain->head, (u32)n);
	return true;
}

/* A little of everything. Return: whether there may be more to do. */
static bool serve(struct virtio_ports *ports)
{
	bool more = false;
	int i, ret = 0;

	if (!virtio_dev_live(&ports->dev))
		return false;
	if (multiport(ports)) {
		ret = serve_ctrl_tx(ports);
		more |= ret > 0;
		if (ret >= 0)
			ret = serve_ctrl_rx(ports);
		more |= ret > 0;
	}
	for (i = 0; ret >= 0 && i < (multiport(ports) ? ports->nr : 1); i++) {
		ret = serve_out(ports, &ports->port[i]);
		more |= ret > 0;
		if (ret >= 0)
			ret = serve_in(ports, &ports->port[i]);
		more |= ret > 0;
	}
	if (ret >= 0)
		return more;
	log_warn("the guest broke a queue of its ports");
	virtio_dev_fail(&ports->dev);
	return false;
}

/*
 * Who is connected is only looked at when the guest takes what they say, or has something to
 * say, and of a device that it broke never: nobody would serve them. Who comes next is looked
 * at when the guest knows that the last one has left.
 */
static struct pollfd port_poll(const struct port *port, bool live)
{
	short events = (short)((port->want_in ? POLLIN : 0) | (port->want_out ? POLLOUT : 0));

	if (!live)
		events = 0;
	if (port->end.fd >= 0)
		return (struct pollfd) { events ? port->end.fd : -1, events, 0 };
	return (struct pollfd) {
		port->todo & BIT(TELL_OPEN) ? -1 : port->end.listen_fd, POLLIN, 0,
	};
}

static void serve_all(struct virtio_ports *ports, struct pollfd *fds)
{
	struct virtio_dev *dev = &ports->dev;
	bool more;
	int i;

	for (i = 0; i < ports->nr; i++) {
		struct port *port = &ports->port[i];

		pthread_mutex_lock(&dev->lock);
		if (fds[i].revents && port->end.fd < 0 && port_end_accept(&port->end))
			tell_open(port);
		pthread_mutex_unlock(&dev->lock);
	}
	/* Unlocked between requests: a reset may come at any time. */
	do {
		pthread_mutex_lock(&dev->lock);
		more = serve(ports);
		for (i = 0; i < ports->nr; i++)
			fds[i] = port_poll(&ports->port[i], virtio_dev_live(dev));
		pthread_mutex_unlock(&dev->lock);
	} while (more && !vm_stopping(dev->vm));
}

static void *ports_thread(void *arg)
{
	struct virtio_ports *ports = arg;
	struct pollfd fds[VMM_PORTS_MAX + VIRTIO_QUEUES_MAX + 1] = { 0 };
	int nr = ports->nr, nr_queues = ports->dev.nr_queues, i;
	struct pollfd *kick = fds + nr, *stop = kick + nr_queues;
	eventfd_t count;

	for (i = 0; i < nr_queues; i++)
		kick[i] = (struct pollfd) { ports->dev.queue[i].kick_fd, POLLIN, 0 };
	*stop = (struct pollfd) { ports->stop_fd, POLLIN, 0 };
	for (;;) {
		serve_all(ports, fds);
		if (poll(fds, (nfds_t)(nr + nr_queues + 1), -1) < 0 && errno != EINTR)
			break;
		if (stop->revents)
			break;
		for (i = 0; i < nr_queues; i++)
			if (kick[i].revents)
				eventfd_read(kick[i].fd, &count);
	}
	return NULL;
}

/* Reset, the guest knows of no port; without control, port 0 is simply there. The lock is held. */
static void driver_changed(struct virtio_dev *dev)
{
	struct virtio_ports *ports = container_of(dev, struct virtio_ports, dev);
	int i;

	for (i = 0; !dev->status && i < ports->nr; i++) {
		struct port *port = &ports->port[i];

		port->todo = 0;
		port->ready = false;
		port->guest_open = false;
		port->held = false;
		port->want_in = false;
		port->want_out = false;
	}
	if (dev->status && !multiport(ports))
		ports->port[0].guest_open = true;
}

static int init(struct virtio_ports *ports, struct vm *vm)
{
	struct virtio_dev *dev = &ports->dev;
	int i, err;

	err = virtio_dev_init(dev, vm, VIRTIO_ID_CONSOLE, NR_QUEUES(ports->nr));
	if (err)
		return err;
	ports->config.max_nr_ports = (u32)ports->nr;
	dev->config = &ports->config;
	dev->config_len = offsetof(struct virtio_console_config, emerg_wr);
	dev->changed = driver_changed;
	dev->features |= BIT_ULL(VIRTIO_CONSOLE_F_MULTIPORT);
	for (i = 0; i < ports->nr; i++) {
		int first = i ? 2 * i + 2 : 0;

		ports->port[i].rx = &dev->queue[first];
		ports->port[i].tx = &dev->queue[first + 1];
	}
	ports->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ports->stop_fd < 0)
		return -errno;
	return virtio_pci_init(&ports->pci, dev, CLASS_SERIAL);
}

/**
 * virtio_ports_create() - the ports of a VM, one device on the PCI bus
 * @vm: VM; it has some
 * @out: the device; set even on failure: virtio_ports_destroy() is due then too
 *
 * Return: 0, or -errno with the reason logged.
 */
int virtio_ports_create(struct vm *vm, struct virtio_ports **out)
{
	struct virtio_ports *ports = calloc(1, sizeof(*ports));
	int i, err = 0;

	*out = ports;
	if (!ports)
		return -ENOMEM;
	ports->stop_fd = -1;
	for (i = 0; !err && i < vm->config->nr_ports; i++) {
		ports->port[i].config = &vm->config->port[i];
		err = port_end_open(&ports->port[i].end, &vm->config->port[i].file);
		ports->nr++;
	}
	if (err)
		return err;
	err = init(ports, vm);
	if (err)
		log_err("cannot create the ports: %s", strerror(-err));
	return err;
}

void virtio_ports_destroy(struct virtio_ports *ports)
{
	int i;

	if (!ports)
		return;
	virtio_pci_destroy(&ports->pci);
	virtio_dev_destroy(&ports->dev);
	for (i = 0; i < ports->nr; i++)
		port_end_close(&ports->port[i].end);
	if (ports->stop_fd >= 0)
		close(ports->stop_fd);
	free(ports);
}

/* Return: 0, or -errno with the reason logged. */
int virtio_ports_start(struct virtio_ports *ports)
{
	int err = thread_start(&ports->thread, "ports", ports_thread, ports);

	ports->started = !err;
	if (err)
		log_err("cannot start the thread of the ports: %s", strerror(-err));
	return err;
}

void virtio_ports_stop(struct virtio_ports *ports)
{
	if (!ports || !ports->started)
		return;
	eventfd_write(ports->stop_fd, 1);
	pthread_join(ports->thread, NULL);
	ports->started = false;
}
