// SPDX-License-Identifier: MIT
#include "core/device/set-report.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/base/embed.h"
#include "core/device/set-report-args.h"
#include "core/fixup/libbpf-log.h"

HS_EMBED(hs_set_report_object, HS_SET_REPORT_OBJECT);

static int run(struct bpf_object *obj, uint32_t hid_id, const uint8_t *data, size_t size,
	       int *result)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "set_output");
	struct set_report_args args = { .hid = hid_id };
	struct set_report report = { .size = (__u32)size };
	/* For these programs the kernel writes the arguments back to where they were. */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	__u32 key = 0;
	int rc;

	memcpy(report.data, data, size);
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(obj, "report"), &key, &report,
				BPF_ANY))
		return -errno;
	rc = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	*result = args.result;
	return rc;
}

int hs_set_output_report(uint32_t hid_id, const uint8_t *data, size_t size, int *result,
			 struct hs_error *err)
{
	struct hs_libbpf_log said = { 0 };
	struct bpf_object *obj;
	char reason[512], verifier[2048];
	int rc;

	if (!size || size > SET_REPORT_MAX)
		return hs_error_set(err, -EINVAL, "a report of %zu bytes", size);
	hs_libbpf_log_begin(&said);
	obj = bpf_object__open_mem(hs_set_report_object,
				   (size_t)(hs_set_report_object_end - hs_set_report_object), NULL);
	rc = obj ? bpf_object__load(obj) : -errno;
	hs_libbpf_log_end(&said);
	hs_libbpf_log_reason(&said, reason, sizeof(reason));
	hs_libbpf_log_verifier(&said, 8, verifier, sizeof(verifier));
	hs_libbpf_log_free(&said);
	if (rc == -EPERM)
		hs_error_set(err, rc, "SET_REPORT(Output) goes by BPF: %s; run it as root",
			     strerror(-rc));
	else if (rc < 0)
		rc = hs_error_set(
			err, -ENOTSUP,
			"SET_REPORT(Output) goes by HID-BPF: %s; see hidsmith-kernel(7)%s%s",
			*reason ? reason : strerror(-rc), *verifier ? "\n" : "", verifier);
	if (!rc) {
		rc = run(obj, hid_id, data, size, result);
		if (rc < 0)
			hs_error_set(err, rc, "SET_REPORT(Output): %s", strerror(-rc));
	}
	bpf_object__close(obj);
	return rc;
}
