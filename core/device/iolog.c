// SPDX-License-Identifier: MIT
#include "core/device/iolog.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "core/base/embed.h"
#include "core/base/util.h"
#include "core/device/iolog-event.h"
#include "core/fixup/libbpf-log.h"

_Static_assert(IOLOG_DATA_MAX >= HS_RDESC_MAX && IOLOG_DATA_MAX >= HS_REPORT_MAX, "room");

HS_EMBED(hs_iolog_object, HS_IOLOG_OBJECT);

#define HID_REQ_GET_REPORT 0x01
#define HID_REQ_SET_REPORT 0x09

struct hs_iolog {
	struct bpf_object *obj;
	struct ring_buffer *ring;
	struct bpf_link *links[16];
	size_t n_links;
	/* of the hs_iolog_read() that is running */
	int (*fn)(const struct hs_io_event *event, void *data);
	void *data;
	int rc;
};

static int find_arg(const struct btf *btf, const struct btf_type *proto, const char *name)
{
	const struct btf_param *p = btf_params(proto);

	for (int i = 0; i < btf_vlen(proto); i++)
		if (!strcmp(btf__name_by_offset(btf, p[i].name_off), name))
			return i;
	return -1;
}

/* Find the arguments of the event's dispatcher, which got one more in a 6.12 update. */
static int find_args(const struct btf *btf, struct iolog_args *args, struct hs_error *err)
{
	static const char func[] = "dispatch_hid_bpf_device_event";
	int id = btf__find_by_name_kind(btf, func, BTF_KIND_FUNC);
	const struct btf_type *proto;
	int data, size, source, from_bpf;

	if (id < 0)
		return hs_error_set(
			err, -ENOTSUP,
			"kernel has no HID-BPF (CONFIG_HID_BPF); see hidsmith-kernel(7)");
	proto = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	data = find_arg(btf, proto, "data");
	size = find_arg(btf, proto, "size");
	source = find_arg(btf, proto, "source");
	from_bpf = find_arg(btf, proto, "from_bpf");
	if (data < 0 || size < 0 || source < 0 || from_bpf < 0)
		return hs_error_set(err, -ENOTSUP,
				    "kernel's %s() has other arguments than expected", func);
	*args = (struct iolog_args){ (__u8)data, (__u8)size, (__u8)source, (__u8)from_bpf };
	return 0;
}

/* .rodata begins with the one constant there is. */
static int set_args(struct bpf_object *obj, const struct iolog_args *args)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		const char *name = bpf_map__name(map);
		size_t size = 0;
		void *value;

		if (!strstr(name, ".rodata"))
			continue;
		value = bpf_map__initial_value(map, &size);
		if (!value || size < sizeof(*args))
			return -EINVAL;
		memcpy(value, args, sizeof(*args));
		return 0;
	}
	return -ENOENT;
}

static int load_error(int rc, const struct hs_libbpf_log *log, struct hs_error *err)
{
	char reason[512], verifier[2048];

	hs_libbpf_log_reason(log, reason, sizeof(reason));
	hs_libbpf_log_verifier(log, 8, verifier, sizeof(verifier));
	if (rc == -EPERM)
		return hs_error_set(
			err, -EPERM,
			"loading BPF programs that listen to devices: %s; run it as root",
			strerror(-rc));
	return hs_error_set(err, -ENOEXEC,
			    "loading BPF programs that listen to devices: %s%s%s%s%s",
			    strerror(-rc), *reason ? ": " : "", reason, *verifier ? "\n" : "",
			    verifier);
}

static int load(struct hs_iolog *log, struct hs_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "iolog");
	struct btf *btf = btf__load_vmlinux_btf();
	struct hs_libbpf_log said = { 0 };
	struct iolog_args args;
	int rc;

	if (!btf)
		return hs_error_set(err, -ENOTSUP,
				    "kernel has no BTF (CONFIG_DEBUG_INFO_BTF); see "
				    "hidsmith-kernel(7)");
	rc = find_args(btf, &args, err);
	btf__free(btf);
	if (rc < 0)
		return rc;

	hs_libbpf_log_begin(&said);
	log->obj = bpf_object__open_mem(hs_iolog_object,
					(size_t)(hs_iolog_object_end - hs_iolog_object), &opts);
	rc = log->obj ? set_args(log->obj, &args) : -errno;
	if (!rc)
		rc = bpf_object__load(log->obj);
	hs_libbpf_log_end(&said);
	if (rc < 0)
		rc = load_error(rc, &said, err);
	hs_libbpf_log_free(&said);
	return rc;
}

/* What the format has a word for. */
static bool request_type(const struct iolog_event *ev, enum hs_request_type *type)
{
	bool get = ev->request == HID_REQ_GET_REPORT;

	if (ev->kind == IOLOG_OUTPUT)
		*type = HS_REQUEST_OUTPUT;
	else if (get && ev->report_type == 2)
		*type = HS_REQUEST_GET_FEATURE;
	else if (get && ev->report_type == 0)
		*type = HS_REQUEST_GET_INPUT;
	else if (ev->request == HID_REQ_SET_REPORT && ev->report_type == 2)
		*type = HS_REQUEST_SET_FEATURE;
	else if (ev->request == HID_REQ_SET_REPORT && ev->report_type == 1)
		*type = HS_REQUEST_SET_OUTPUT;
	else
		return false;
	return true;
}

static int on_event(void *ctx, void *data, size_t size)
{
	static const enum hs_io_kind kinds[] = {
		[IOLOG_INPUT] = HS_IO_INPUT,     [IOLOG_FIXED] = HS_IO_FIXED,
		[IOLOG_REQUEST] = HS_IO_REQUEST, [IOLOG_OUTPUT] = HS_IO_REQUEST,
		[IOLOG_ANSWER] = HS_IO_ANSWER,
	};
	struct hs_iolog *log = ctx;
	const struct iolog_event *ev = data;
	struct hs_io_event out;

	if (size < sizeof(*ev) || ev->size > size - sizeof(*ev) ||
	    ev->kind >= HS_ARRAY_SIZE(kinds) || log->rc)
		return 0;
	out = (struct hs_io_event){
		.kind = kinds[ev->kind],
		.time_us = ev->time_ns / 1000,
		.device = ev->device,
		.origin = (enum hs_io_origin)ev->origin,
		.seq = ev->seq,
		.report_type = ev->report_type,
		.result = ev->result,
		.data = ev->size ? ev->data : NULL,
		.size = ev->size,
	};
	if (out.kind == HS_IO_REQUEST) {
		out.valid = request_type(ev, &out.request.type);
		out.request.report_id = ev->report_id;
		out.request.data = out.data;
		out.request.size = out.size;
	}
	log->rc = log->fn(&out, log->data);
	return 0;
}

int hs_iolog_open(struct hs_iolog **out, struct hs_error *err)
{
	struct hs_iolog *log = calloc(1, sizeof(*log));
	int rc;

	if (!log)
		return hs_error_set(err, -ENOMEM, "out of memory");
	rc = load(log, err);
	if (!rc) {
		int fd = bpf_object__find_map_fd_by_name(log->obj, "events");

		log->ring = ring_buffer__new(fd, on_event, log, NULL);
		if (!log->ring)
			rc = hs_error_set(err, -errno, "ring buffer: %s", strerror(errno));
	}
	if (rc < 0) {
		hs_iolog_free(log);
		return rc;
	}
	*out = log;
	return 0;
}

void hs_iolog_free(struct hs_iolog *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < log->n_links; i++)
		bpf_link__destroy(log->links[i]);
	ring_buffer__free(log->ring);
	bpf_object__close(log->obj);
	free(log);
}

int hs_iolog_add(struct hs_iolog *log, const struct hs_device *dev, unsigned int index,
		 struct hs_error *err)
{
	int fd = bpf_object__find_map_fd_by_name(log->obj, "devices");
	__u32 key = dev->hid_id, value = index;

	if (bpf_map_update_elem(fd, &key, &value, BPF_ANY))
		return hs_error_set(err, -errno, "%s: %s", dev->sysname, strerror(errno));
	return 0;
}

int hs_iolog_start(struct hs_iolog *log, struct hs_error *err)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, log->obj)
	{
		struct hs_libbpf_log said = { 0 };
		struct bpf_link *link;
		char reason[512];

		if (bpf_program__type(prog) != BPF_PROG_TYPE_TRACING)
			continue;
		hs_libbpf_log_begin(&said);
		link = bpf_program__attach(prog);
		hs_libbpf_log_end(&said);
		hs_libbpf_log_reason(&said, reason, sizeof(reason));
		hs_libbpf_log_free(&said);
		if (!link)
			return hs_error_set(err, -errno, "listening by %s: %s%s%s",
					    bpf_program__section_name(prog), strerror(errno),
					    *reason ? ": " : "", reason);
		if (log->n_links < HS_ARRAY_SIZE(log->links))
			log->links[log->n_links++] = link;
	}
	return 0;
}

int hs_iolog_rdesc(struct hs_iolog *log, const struct hs_device *dev, uint8_t rdesc[HS_RDESC_MAX],
		   size_t *size, struct hs_error *err)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(log->obj, "original_rdesc");
	struct iolog_rdesc_args args = { .hid = dev->hid_id };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	struct iolog_rdesc out = { 0 };
	__u32 key = 0;
	int rc = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	if (!rc)
		rc = (int)opts.retval;
	if (!rc &&
	    bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(log->obj, "rdesc"), &key, &out))
		rc = -errno;
	if (!rc && !out.size)
		rc = -EIO;
	if (rc < 0)
		return hs_error_set(err, rc, "%s: its own report descriptor: %s", dev->sysname,
				    strerror(-rc));
	memcpy(rdesc, out.data, out.size);
	*size = out.size;
	return 0;
}

int hs_iolog_fd(const struct hs_iolog *log)
{
	return ring_buffer__epoll_fd(log->ring);
}

int hs_iolog_read(struct hs_iolog *log, int (*fn)(const struct hs_io_event *event, void *data),
		  void *data)
{
	int rc;

	log->fn = fn;
	log->data = data;
	log->rc = 0;
	rc = ring_buffer__consume(log->ring);
	return log->rc ? log->rc : rc < 0 ? rc : 0;
}

uint64_t hs_iolog_lost(struct hs_iolog *log)
{
	struct bpf_map *map;

	/* .bss holds last_seq and lost, in the order that BTF tells. */
	bpf_object__for_each_map(map, log->obj)
	{
		const struct btf *btf = bpf_object__btf(log->obj);
		const struct btf_type *sec;
		size_t size = 0;
		const char *value;

		if (!strstr(bpf_map__name(map), ".bss"))
			continue;
		value = bpf_map__initial_value(map, &size);
		sec = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
		for (int i = 0; value && sec && i < btf_vlen(sec); i++) {
			const struct btf_var_secinfo *v = btf_var_secinfos(sec) + i;
			const struct btf_type *var = btf__type_by_id(btf, v->type);
			uint64_t n;

			if (strcmp(btf__name_by_offset(btf, var->name_off), "lost"))
				continue;
			memcpy(&n, value + v->offset, sizeof(n));
			return n;
		}
	}
	return 0;
}
